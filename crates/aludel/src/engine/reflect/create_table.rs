//! What only the text of a CREATE TABLE says: SQLite keeps the text, and its pragmas do not name constraints.

use std::borrow::Cow;

use super::type_name::literals;

/// What a CREATE TABLE declares beside what the pragmas tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) primary_key: Option<String>,
    /// The names of foreign keys, by their columns.
    pub(super) foreign_keys: Vec<(Vec<String>, String)>,
    /// The names of unique constraints, by their columns.
    pub(super) uniques: Vec<(Vec<String>, String)>,
    pub(super) checks: Vec<Check>,
    /// The expressions of computed columns, by their names.
    pub(super) computed: Vec<(String, String)>,
    pub(super) without_rowid: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: Option<String>,
    pub(super) sql: String,
}

/// One word, name, literal or sign of SQL, and where it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// The name, without its quotes.
    fn name(&self) -> String {
        let unquoted = |open: char, close: char| {
            let inner = self.text.strip_prefix(open)?.strip_suffix(close)?;
            Some(inner.replace(&format!("{close}{close}"), &close.to_string()))
        };
        unquoted('"', '"')
            .or_else(|| unquoted('`', '`'))
            .or_else(|| unquoted('[', ']'))
            .or_else(|| unquoted('\'', '\''))
            .unwrap_or_else(|| self.text.to_owned())
    }
}

pub(super) fn parse(sql: &str) -> Declared {
    let tokens = tokens(sql);
    let mut declared = Declared::default();
    let Some(open) = tokens.iter().position(|token| token.text == "(") else { return declared };
    let close = closing(&tokens, open);
    let options = &tokens[close.min(tokens.len())..];
    declared.without_rowid = options.windows(2).any(|pair| pair[0].is("without") && pair[1].is("rowid"));
    for definition in split(&tokens[open + 1..close.min(tokens.len())]) {
        read(sql, definition, &mut declared);
    }
    declared
}

/// The elements and the condition of a CREATE INDEX, as they are written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DeclaredIndex {
    pub(super) elements: Vec<DeclaredElement>,
    pub(super) predicate: Option<String>,
}

/// An element of a CREATE INDEX.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeclaredElement {
    /// The expression, without ASC or DESC.
    pub(super) sql: String,
    /// The collation that is named at its end.
    pub(super) collation: Option<String>,
}

pub(super) fn parse_index(sql: &str) -> DeclaredIndex {
    let tokens = tokens(sql);
    let Some(open) = tokens.iter().position(|token| token.text == "(") else { return DeclaredIndex::default() };
    let close = closing(&tokens, open).min(tokens.len());
    let elements = split(&tokens[open + 1..close]).into_iter().map(|part| element(sql, part)).collect();
    let predicate = tokens[close..].iter().find(|token| token.is("where"));
    let predicate = predicate.map(|token| sql[token.start + token.text.len()..].trim().to_owned());
    DeclaredIndex { elements, predicate }
}

fn element(sql: &str, part: &[Token<'_>]) -> DeclaredElement {
    let part = match part {
        [rest @ .., last] if last.is("asc") || last.is("desc") => rest,
        part => part,
    };
    let part = match part {
        [open, inner @ .., _] if open.text == "(" && closing(part, 0) == part.len() - 1 => inner,
        part => part,
    };
    let collation = match part {
        [.., word, name] if word.is("collate") => Some(name.name()),
        _ => None,
    };
    let text = match part {
        [first, .., last] => &sql[first.start..last.start + last.text.len()],
        [only] => only.text,
        [] => "",
    };
    DeclaredElement { sql: text.to_owned(), collation }
}

/// The SELECT of a CREATE VIEW.
pub(super) fn view_definition(sql: &str) -> &str {
    let tokens = tokens(sql);
    let word = tokens.iter().find(|token| token.is("as"));
    word.map_or(sql, |word| sql[word.start + word.text.len()..].trim())
}

/// The column and the literals of a check `"status" IN ('a', 'b')`.
pub(super) fn in_list(check: &str) -> Option<(String, Vec<Cow<'static, str>>)> {
    let tokens = tokens(check);
    let [column, word, open, list @ .., close] = &*tokens else { return None };
    let only_literals = list.iter().all(|token| token.text == "," || token.text.starts_with('\''));
    let shape = word.is("in") && open.text == "(" && close.text == ")" && only_literals && !list.is_empty();
    shape.then(|| (column.name(), literals(&check[open.start..])))
}

/// One definition of the list: a column or a constraint of the table.
fn read(sql: &str, tokens: &[Token<'_>], declared: &mut Declared) {
    let constraint =
        |token: &Token<'_>| ["constraint", "primary", "unique", "check", "foreign"].iter().any(|word| token.is(word));
    // A column's own constraints are about that column.
    let (column, mut at) = match tokens.first() {
        Some(first) if !constraint(first) => (Some(first.name()), 1),
        _ => (None, 0),
    };
    let mut name = None;
    while at < tokens.len() {
        let token = tokens[at];
        let columns = |from: usize| match &column {
            Some(column) => vec![column.clone()],
            None => names(tokens, from),
        };
        if token.is("constraint") {
            name = tokens.get(at + 1).map(Token::name);
            at += 2;
            continue;
        }
        if token.is("primary") {
            declared.primary_key = name.take();
        } else if token.is("unique") {
            if let Some(name) = name.take() {
                declared.uniques.push((columns(at + 1), name));
            }
        } else if token.is("foreign") {
            if let Some(name) = name.take() {
                declared.foreign_keys.push((names(tokens, at + 2), name));
            }
        } else if token.is("references") && column.is_some() {
            if let Some(name) = name.take() {
                declared.foreign_keys.push((columns(at), name));
            }
        } else if token.is("check") && tokens.get(at + 1).is_some_and(|token| token.text == "(") {
            let close = closing(tokens, at + 1);
            let end = tokens.get(close).map_or(sql.len(), |token| token.start);
            let sql = sql[tokens[at + 1].start + 1..end].trim().to_owned();
            declared.checks.push(Check { name: name.take(), sql });
            at = close;
        } else if token.is("as")
            && let Some(column) = &column
            && tokens.get(at + 1).is_some_and(|token| token.text == "(")
        {
            let close = closing(tokens, at + 1);
            let end = tokens.get(close).map_or(sql.len(), |token| token.start);
            declared.computed.push((column.clone(), sql[tokens[at + 1].start + 1..end].trim().to_owned()));
            at = close;
        } else if token.text == "(" {
            at = closing(tokens, at);
        }
        at += 1;
    }
}

/// The names in the parentheses that open at a position, without COLLATE and the like.
fn names(tokens: &[Token<'_>], open: usize) -> Vec<String> {
    if tokens.get(open).is_none_or(|token| token.text != "(") {
        return Vec::new();
    }
    let close = closing(tokens, open).min(tokens.len());
    split(&tokens[open + 1..close]).into_iter().filter_map(|part| part.first().map(Token::name)).collect()
}

/// The position of the parenthesis that closes the one at a position.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" => depth += 1,
            ")" => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The parts between the commas of the outermost level.
fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = sql[at..].find('\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = sql[at + 2..].find("*/").map_or(bytes.len(), |end| at + end + 4);
                continue;
            }
            quote @ (b'"' | b'\'' | b'`') => {
                at += 1;
                while at < bytes.len() {
                    if bytes[at] == quote {
                        at += 1;
                        if bytes.get(at) != Some(&quote) {
                            break;
                        }
                    }
                    at += 1;
                }
            }
            b'[' => at = sql[at..].find(']').map_or(bytes.len(), |end| at + end + 1),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
                at += bytes[at..].iter().take_while(|byte| word(byte)).count();
            }
            _ => at += 1,
        }
        tokens.push(Token { text: &sql[start..at.min(bytes.len())], start });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_constraints_and_the_texts_of_checks_are_found() {
        let declared = parse(
            "CREATE TABLE \"a \"\"(b\" (id INTEGER CONSTRAINT pk PRIMARY KEY, -- no (\n n TEXT DEFAULT ('x(') \
             CONSTRAINT uq_n UNIQUE, m INT CONSTRAINT fk_m REFERENCES t (id) CHECK (m > (1)), /* ) */ \
             CONSTRAINT `uq 2` UNIQUE (\"n\", [m]), CONSTRAINT fk2 FOREIGN KEY (id, m) REFERENCES t (a, b), \
             CONSTRAINT ck CHECK (n <> ')'), \
             twice INT GENERATED ALWAYS AS (m * (2)) STORED NOT NULL, v AS (lower(n))) WITHOUT ROWID",
        );
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(declared.primary_key.as_deref(), Some("pk"));
        assert_eq!(declared.uniques, [(strings(&["n"]), "uq_n".to_owned()), (strings(&["n", "m"]), "uq 2".to_owned())]);
        assert_eq!(
            declared.foreign_keys,
            [(strings(&["m"]), "fk_m".to_owned()), (strings(&["id", "m"]), "fk2".to_owned())]
        );
        let checks: Vec<_> = declared.checks.iter().map(|check| (check.name.as_deref(), &*check.sql)).collect();
        assert_eq!(checks, [(None, "m > (1)"), (Some("ck"), "n <> ')'")]);
        let computed = |name: &str, sql: &str| (name.to_owned(), sql.to_owned());
        assert_eq!(declared.computed, [computed("twice", "m * (2)"), computed("v", "lower(n)")]);
        assert!(declared.without_rowid);
        assert_eq!(parse("CREATE TABLE t"), Declared::default());
        assert_eq!(parse("CREATE TABLE t (a CHECK (a"), parse("CREATE TABLE t (a CHECK (a"), "no end is no panic");
    }

    #[test]
    fn the_elements_of_an_index_are_found() {
        let index = parse_index(
            "CREATE INDEX \"ix (\" ON t (a DESC, lower(\"b, c\") , (x + 1) asc, (n COLLATE NOCASE) DESC) WHERE a <> 'where' ",
        );
        let elements: Vec<_> =
            index.elements.iter().map(|element| (&*element.sql, element.collation.as_deref())).collect();
        let expected = [("a", None), ("lower(\"b, c\")", None), ("x + 1", None), ("n COLLATE NOCASE", Some("NOCASE"))];
        assert_eq!(elements, expected);
        assert_eq!(index.predicate.as_deref(), Some("a <> 'where'"));
        assert_eq!(parse_index("CREATE INDEX"), DeclaredIndex::default());
    }

    #[test]
    fn the_select_of_a_view_follows_as() {
        assert_eq!(view_definition("CREATE VIEW \"as\" AS SELECT 1 AS x"), "SELECT 1 AS x");
    }

    #[test]
    fn a_check_against_a_list_of_literals_is_an_enum() {
        let (column, values) = in_list("\"status\" IN ('new', 'it''s')").unwrap();
        assert_eq!((column.as_str(), &*values), ("status", &["new".into(), "it's".into()][..]));
        assert_eq!(in_list("a > 1"), None);
        assert_eq!(in_list("a IN (1, 2)"), None);
    }
}
