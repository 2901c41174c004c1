use std::path::Path;

use super::*;
use crate::engine::tests::Folder;

fn parse(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url).unwrap()
}

fn opened(url: &DatabaseUrl) -> DatabaseFile {
    match url.target().unwrap() {
        Target::File(file) => file,
        Target::Server(url) => panic!("{url} is no file"),
    }
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
        assert_eq!(opened(&url).name, ":memory:");
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
    let file = opened(&url);
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
    let error = url.target().err().unwrap();
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
    let error = refused("sqlit:///app.db");
    let begin = "the database URL has the unknown scheme `sqlit`; did you mean `sqlite`? (this build has: sqlite";
    assert!(error.starts_with(begin), "{error}");
    let error = refused("oracle://ann:s3cret@db.example/app");
    let begin = "the database URL has the scheme `oracle`, for which this build has no backend (it has: sqlite";
    assert!(error.starts_with(begin), "{error}");
}

#[test]
#[cfg(not(feature = "postgres"))]
fn a_scheme_whose_backend_is_not_compiled_in_names_the_feature() {
    let error = refused("postgres://ann:s3cret@db.example/app");
    assert!(error.contains("enable the feature `postgres`"), "{error}");
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
        "oracle://ann:s3cret@db.example/app",
        "postgres://ann:s3cret@db.example:x/app",
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

#[test]
#[cfg(feature = "postgres")]
fn a_servers_url_has_all_that_libpq_knows_and_hides_its_password() {
    let Kind::Server(url) = parse("postgresql://ann:p%40ss@db1:5433,[::1]/shop?connect_timeout=3").0 else { panic!() };
    assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("ann"), Some("p@ss")));
    assert_eq!(url.hosts, [Host::Tcp("db1".into(), Some(5433)), Host::Tcp("::1".into(), None)]);
    assert_eq!(url.database.as_deref(), Some("shop"));
    assert_eq!(url.parameter_value("connect_timeout"), Some("3"));
    assert_eq!(url.to_string(), "postgresql://ann:***@db1:5433,[::1]/shop?connect_timeout=3");
    assert!(!format!("{url:?}").contains("p@ss"));

    let Kind::Server(url) = parse("postgres:///shop?host=/run/postgresql&port=5433&user=ann&password=x").0 else {
        panic!()
    };
    assert_eq!(url.hosts, [Host::Unix("/run/postgresql".into(), Some(5433))]);
    assert_eq!(url.to_string(), "postgres://ann:***@%2Frun%2Fpostgresql:5433/shop");
    assert_eq!(parse(&url.to_string()), parse("postgres:///shop?host=/run/postgresql&port=5433&user=ann&password=***"));

    let error = refused("postgresql://ann:secret/word@db/shop");
    assert!(error.contains("written %3A, %2F or %40") && !error.contains("secret"), "{error}");
}
