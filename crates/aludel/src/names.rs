//! Names that may have been meant.

/// `; did you mean ..?` for a name that is near one of those known, else the known ones if they are few.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    let near = known
        .iter()
        .map(|known| (distance(&lower, &known.to_lowercase()), *known))
        .filter(|(distance, _)| *distance <= limit)
        .min();
    match near {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; it has none".to_owned(),
        None => {
            const MOST: usize = 20;
            let list: Vec<String> = known.iter().take(MOST).map(|known| format!("`{known}`")).collect();
            let more = if known.len() > MOST { ", .." } else { "" };
            format!("; it has {}{more}", list.join(", "))
        }
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &b) in b.iter().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_else_the_known_ones_are_listed() {
        let known = ["username", "email"];
        assert_eq!(hint("usrname", known.into_iter()), "; did you mean `username`?");
        assert_eq!(hint("Email", known.into_iter()), "; did you mean `email`?");
        assert_eq!(hint("password", known.into_iter()), "; it has `username`, `email`");
        assert_eq!(hint("x", [].into_iter()), "; it has none");
    }
}
