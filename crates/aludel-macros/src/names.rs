//! Names made from other names.

/// A table's name from its struct's: Flask-SQLAlchemy's `camel_to_snake_case`. An underscore goes before a capital
/// that follows a lower-case letter or digit, and before a capital inside the name that a lower-case letter follows;
/// then all is lower-cased and leading underscores go. Only ASCII letters count.
pub(crate) fn camel_to_snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            let after_word = chars[i - 1].is_ascii_lowercase() || chars[i - 1].is_ascii_digit();
            let before_word = chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
            if after_word || before_word {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    out.trim_start_matches('_').to_owned()
}

/// The candidate nearest to a name, when it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, with an exchange of two neighbours counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

/// `["a", "b", "c"]` as `` `a`, `b`, `c` ``.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_follow_the_rule_of_flask_sqlalchemy() {
        let pairs = [
            ("CamelCase", "camel_case"),
            ("Snake_case", "snake_case"),
            ("HTMLLayout", "html_layout"),
            ("LayoutHTML", "layout_html"),
            ("HTTP2Request", "http2_request"),
            ("ShoppingCartSession", "shopping_cart_session"),
            ("ABC", "abc"),
            ("PreABC", "pre_abc"),
            ("ABCPost", "abc_post"),
            ("PreABCPost", "pre_abc_post"),
            ("HTTP2RequestSession", "http2_request_session"),
            ("UserST4", "user_st4"),
            ("FooBarSSE2", "foo_bar_sse2"),
            ("AstV2Node", "ast_v2_node"),
            ("HTTPResponseCodeXYZ", "http_response_code_xyz"),
            ("get2HTTPResponse123Code", "get2_http_response123_code"),
            ("AlarmMessageSS2SignalTransformer", "alarm_message_ss2_signal_transformer"),
            ("HTTP2ClientType3EncoderParametersSSE", "http2_client_type3_encoder_parameters_sse"),
            ("LONGName4TestingCamelCase2snake_caseXYZ", "long_name4_testing_camel_case2snake_case_xyz"),
            ("getHTTPresponseCode", "get_htt_presponse_code"),
            ("__test__Method", "test___method"),
            ("X1Y2", "x1_y2"),
            ("UserID", "user_id"),
            ("_Private", "private"),
            ("FOOBar", "foo_bar"),
            ("BazBar", "baz_bar"),
            ("RubberDuck", "rubber_duck"),
            ("ÄpfelBaum", "Äpfel_baum"),
        ];
        for (name, table) in pairs {
            assert_eq!(camel_to_snake(name), table, "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_another_word_does_not() {
        let known = ["unique", "index", "length", "primary_key", "on_delete"];
        assert_eq!(nearest("uniqe", known), Some("unique"));
        assert_eq!(nearest("lenght", known), Some("length"));
        assert_eq!(nearest("primary_kye", known), Some("primary_key"));
        assert_eq!(nearest("lazy", known), None);
    }
}
