//! Names of Rust made from names of a database.

use std::collections::HashSet;

/// The words that Rust keeps for itself, of every edition.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The names that every model has as associated items.
const RESERVED: &[&str] = &["query", "build", "entity", "column", "insert_all", "alias"];

/// The types that models and the derives' output name, and what the prelude brings.
const TYPES: &[&str] = &[
    "Box",
    "Column",
    "Config",
    "Copy",
    "Clone",
    "Db",
    "DbEnum",
    "DbType",
    "Debug",
    "Default",
    "Duration",
    "EngineOptions",
    "Entity",
    "Eq",
    "Err",
    "Error",
    "ErrorKind",
    "Expr",
    "Expression",
    "Fn",
    "IterPages",
    "Json",
    "Many",
    "MetaData",
    "Model",
    "NamingConvention",
    "None",
    "Ok",
    "One",
    "Option",
    "Or404",
    "Page",
    "PageQuery",
    "PartialEq",
    "Projection",
    "Query",
    "Queryable",
    "Result",
    "Savepoint",
    "Self",
    "Send",
    "Session",
    "Some",
    "String",
    "Sync",
    "Teardown",
    "Timestamp",
    "ToString",
    "Uuid",
    "Vec",
];

/// `order line`, `OrderLine` and `order-line` as the words `order` and `line`. Letters beyond ASCII part words: not all
/// of them may stand in a name without the compiler's warning.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in chars.iter().enumerate() {
        let after_lower = at > 0 && (chars[at - 1].is_ascii_lowercase() || chars[at - 1].is_ascii_digit());
        let before_lower = chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let after_upper = at > 0 && chars[at - 1].is_ascii_uppercase();
        if !letter.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        if letter.is_ascii_uppercase() && (after_lower || (after_upper && before_lower)) {
            words.push(String::new());
        }
        words.last_mut().into_iter().for_each(|word| word.push(letter.to_ascii_lowercase()));
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name in snake case, which begins with a letter and is no word of Rust's.
pub(super) fn snake(name: &str) -> String {
    let mut name = words(name).join("_");
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name = format!("column_{name}").trim_end_matches('_').to_owned();
    }
    if KEYWORDS.contains(&name.as_str()) || RESERVED.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

/// The name in camel case with a capital first, which begins with a letter and names no type that models need.
pub(super) fn pascal(name: &str, suffix: &str) -> String {
    let mut pascal = String::new();
    for word in words(name) {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    let usable = pascal.starts_with(|first: char| first.is_ascii_alphabetic());
    if !usable || TYPES.contains(&pascal.as_str()) {
        pascal = if usable { format!("{pascal}{suffix}") } else { format!("{suffix}{pascal}") };
    }
    pascal
}

/// Whether the derive makes this snake-case name of the camel-case one.
pub(super) fn is_snake_of(name: &str, pascal: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let plain = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.iter().all(plain) && self::pascal(name, "") == pascal
}

/// Names that are taken, with what the derive makes of them.
#[derive(Debug, Default)]
pub(super) struct Taken(HashSet<String>);

impl Taken {
    /// A field's name that no other has, nor one that differs by its underscores alone: the builder's types would clash.
    pub(super) fn field(&mut self, name: String) -> String {
        self.unique(name, |name| vec![name.replace('_', "")])
    }

    /// A type's name that no other has, nor its builder.
    pub(super) fn ty(&mut self, name: String) -> String {
        self.unique(name, |name| vec![name.to_owned(), format!("{name}Builder")])
    }

    fn unique(&mut self, name: String, keys: impl Fn(&str) -> Vec<String>) -> String {
        let mut candidate = name.clone();
        let mut number = 2;
        while keys(&candidate).iter().any(|key| self.0.contains(key)) {
            candidate = format!("{name}{}{number}", if name.ends_with('_') { "" } else { "_" });
            if name.starts_with(|first: char| first.is_ascii_uppercase()) {
                candidate = format!("{name}{number}");
            }
            number += 1;
        }
        self.0.extend(keys(&candidate));
        candidate
    }
}
