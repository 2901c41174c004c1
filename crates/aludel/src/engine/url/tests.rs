use std::path::Path;

use super::*;
use crate::engine::tests::Folder;

fn parse(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url).unwrap()
}

fn refused(url: &str) -> String {
    let error = DatabaseUrl::parse(url).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn no_file_means_a_database_in_memory() {
    for url in [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite+pysqlite:///:memory:",
        "SQLite://",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:shared?mode=memory&cache=shared&uri=true",
    ] {
        let url = parse(url);
        assert!(url.is_memory(), "{url}");
        assert_eq!(url.to_string(), "sqlite://");
        assert_eq!(url.to_open().unwrap().name, ":memory:");
    }
}

#[test]
fn three_slashes_are_relative_and_four_absolute() {
    assert_eq!(parse("sqlite:///app.db").path(), Some(Path::new("app.db")));
    assert_eq!(parse("sqlite:///a/b.db").path(), Some(Path::new("a/b.db")));
    assert_eq!(parse("sqlite:////var/lib/app.db").path(), Some(Path::new("/var/lib/app.db")));
    assert_eq!(parse("sqlite:///a%20b.db").path(), Some(Path::new("a%20b.db")), "a plain path is not decoded");
}

#[test]
fn a_file_uri_is_decoded_and_keeps_its_parameters() {
    assert_eq!(parse("sqlite:///file:test.db?uri=true").path(), Some(Path::new("test.db")));
    assert_eq!(parse("sqlite:///file:/abs/x.db?uri=true").path(), Some(Path::new("/abs/x.db")));
    assert_eq!(parse("sqlite:///file:///abs/x.db").path(), Some(Path::new("/abs/x.db")));
    assert_eq!(parse("sqlite:///file:a%20b%3F.db").path(), Some(Path::new("a b?.db")));
    let folder = Folder::new();
    let url = parse("sqlite:///file:a%20b%3F.db?mode=ro&psow=1").in_folder(folder.path()).unwrap();
    let file = url.to_open().unwrap();
    assert!(file.uri);
    assert_eq!(file.name, format!("file://{}/a%20b%3F.db?mode=ro&psow=1", folder.path().display()));
}

#[test]
fn a_relative_path_is_taken_from_the_instance_folder_which_is_created() {
    let folder = Folder::new();
    let instance = folder.path().join("some/instance");
    let url = parse("sqlite:///app.db").in_folder(&instance).unwrap();
    assert_eq!(url.path(), Some(&*instance.join("app.db")));
    assert!(instance.is_dir());

    let url = parse("sqlite:///a/b.db").in_folder(&instance).unwrap();
    assert!(!instance.join("a").exists(), "only the instance folder itself is created");
    let error = url.to_open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("instance/a` does not exist; create it"), "{error}");

    let absolute = parse("sqlite:////var/lib/app.db");
    assert_eq!(absolute.clone().in_folder(&folder.path().join("other")).unwrap(), absolute);
    assert!(!folder.path().join("other").exists());
}

#[test]
fn an_instance_folder_that_cannot_be_created_is_named() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = parse("sqlite:///app.db").in_folder(&file.join("instance")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("file/instance` cannot be created"), "{error}");
}

#[test]
fn an_unknown_scheme_names_the_backends_of_this_build() {
    assert_eq!(
        refused("sqlit:///app.db"),
        "the database URL has the unknown scheme `sqlit`; did you mean `sqlite`? (this build has: sqlite)"
    );
    assert_eq!(
        refused("postgres://ann:s3cret@db.example/app"),
        "the database URL has the scheme `postgres`, for which this build has no backend (it has: sqlite)"
    );
}

#[test]
fn what_is_wrong_in_a_url_is_named_with_its_cure() {
    assert!(refused("").contains("is empty; write for example sqlite:///app.db"));
    assert!(refused("app.db").contains("has no scheme"));
    assert!(refused("sqlite:app.db").contains("begins with `sqlite://`; write sqlite://"));
    assert!(refused("sqlite://app.db").contains("has no host; write sqlite://"));
    assert!(refused("sqlite:///app.db?timeout=5").contains("unknown parameter `timeout`; it may have mode, immutable"));
    assert!(refused("sqlite:///app.db?mode=r").contains("one of ro, rw, rwc, memory"));
    assert!(refused("sqlite:///file:app.db?cache=shared").contains("leave `cache` out"));
    assert!(refused("sqlite:///file:a%2.db").contains("two hexadecimal digits"));
    assert!(refused("sqlite:///file:%FF.db").contains("not UTF-8"));
    assert!(refused("sqlite:///file://host/app.db").contains("names no other host"));
    assert!(refused("sqlite:///file:a%00.db").contains("NUL"));
}

#[test]
fn no_message_shows_a_password() {
    for url in [
        "postgres://ann:s3cret@db.example/app",
        "s3cret",
        "ann:s3cret@db.example/app",
        "sqlite://ann:s3cret@host/app.db",
        "sqlite:///app.db?password=s3cret",
        "post gres s3cret://x",
    ] {
        let error = DatabaseUrl::parse(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    let url = parse("sqlite:///file:app.db?key=s3cret");
    assert_eq!(url.to_string(), "sqlite:///file:app.db?key=***");
    assert_eq!(format!("{url:?}"), "DatabaseUrl(sqlite:///file:app.db?key=***)");
}
