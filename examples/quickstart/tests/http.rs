//! The quickstart as a user runs it: the real program, a real file, plain HTTP.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};
use support::{Server, refusal, send, send_as};

fn user(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.com") })
}

#[test]
fn the_first_start_creates_the_file_its_tables_and_the_first_rows() {
    let mut server = Server::start();
    assert!(server.database().is_file());
    assert_eq!(server.in_file::<String>("SELECT username FROM user"), ["johndoe"]);
    assert_eq!(server.in_file::<String>("SELECT title FROM post WHERE user_id = 1"), ["Hello"]);
    // and the second start finds them, and adds nothing
    server.kill();
    server.restart();
    assert_eq!(server.in_file::<i64>("SELECT count(*) FROM user"), [1]);
    assert_eq!(server.get("/users/1").status, 200);
}

#[test]
fn the_list_is_a_page() {
    let server = Server::start();
    let answer = server.get("/users");
    assert_eq!(answer.status, 200);
    let expected = json!({
        "items": [{ "id": 1, "username": "johndoe", "email": "john@example.com" }],
        "page": 1, "per_page": 20, "total": 1, "pages": 1,
        "has_next": false, "has_prev": false, "next_num": null, "prev_num": null, "first": 1, "last": 1,
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn a_user_is_created_shown_changed_and_deleted() {
    let server = Server::start();
    let created = server.post("/users", &user("ann"));
    assert_eq!(created.status, 201);
    let body = created.json();
    assert_eq!((&body["id"], &body["username"], &body["email"]), (&json!(2), &json!("ann"), &json!("ann@example.com")));

    let shown = server.get("/users/2");
    assert_eq!(shown.status, 200);
    assert_eq!(shown.json(), json!({ "id": 2, "username": "ann", "email": "ann@example.com", "posts": [] }));

    let changed = server.patch("/users/2", &json!("ann@new.example"));
    assert_eq!((changed.status, changed.json()["email"].as_str()), (200, Some("ann@new.example")));
    assert_eq!(server.in_file::<String>("SELECT email FROM user WHERE id = 2"), ["ann@new.example"]);
    assert_eq!(server.in_file::<String>("SELECT username FROM user WHERE id = 2"), ["ann"]);

    let deleted = server.delete("/users/2");
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(server.get("/users/2").status, 404);
    assert_eq!(server.in_file::<String>("SELECT username FROM user"), ["johndoe"]);
}

#[test]
fn a_user_is_shown_with_their_posts_and_the_posts_without_their_user() {
    let server = Server::start();
    let expected = json!({
        "id": 1, "username": "johndoe", "email": "john@example.com",
        "posts": [{ "id": 1, "title": "Hello", "content": "A first post", "user_id": 1 }],
    });
    assert_eq!(server.get("/users/1").json(), expected);
}

#[test]
fn a_duplicate_is_409_with_nothing_written() {
    let server = Server::start();
    assert_eq!(server.post("/users", &user("ann")).status, 201);
    let same_name = json!({ "username": "ann", "email": "other@example.com" });
    let same_email = json!({ "username": "other", "email": "ann@example.com" });
    let expected = json!({ "error": "conflict", "message": "a row with the same value exists already" });
    for body in [same_name, same_email] {
        let answer = server.post("/users", &body);
        assert_eq!((answer.status, answer.json()), (409, expected.clone()));
    }
    let answer = server.patch("/users/2", &json!("john@example.com"));
    assert_eq!((answer.status, answer.json()), (409, expected));
    assert_eq!(
        server.in_file::<String>("SELECT username || ' ' || email FROM user ORDER BY id"),
        ["johndoe john@example.com", "ann ann@example.com"]
    );
}

#[test]
fn of_many_who_want_one_name_at_once_one_gets_it() {
    let server = Server::start();
    let (created, refused, begin) = (AtomicU32::new(0), AtomicU32::new(0), Barrier::new(16));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                begin.wait();
                match server.post("/users", &user("ann")).status {
                    201 => created.fetch_add(1, Ordering::Relaxed),
                    409 => refused.fetch_add(1, Ordering::Relaxed),
                    status => panic!("{status}"),
                };
            });
        }
    });
    assert_eq!((created.into_inner(), refused.into_inner()), (1, 15));
    assert_eq!(server.in_file::<i64>("SELECT count(*) FROM user WHERE username = 'ann'"), [1]);
}

#[test]
fn a_user_with_posts_is_not_deleted() {
    let server = Server::start();
    let answer = server.delete("/users/1");
    assert_eq!((answer.status, &answer.json()["error"]), (409, &json!("conflict")));
    assert_eq!(server.in_file::<i64>("SELECT count(*) FROM post"), [1]);
    assert_eq!(server.get("/users/1").status, 200);
}

#[test]
fn an_id_that_nobody_has_is_404_and_one_that_is_no_number_400() {
    let server = Server::start();
    let expected = json!({ "error": "not_found", "message": "the requested resource was not found" });
    for id in ["2", "0", "-1", "9223372036854775807"] {
        let path = format!("/users/{id}");
        for answer in [server.get(&path), server.patch(&path, &json!("x@y")), server.delete(&path)] {
            assert_eq!((answer.status, answer.json()), (404, expected.clone()), "{id}");
        }
    }
    for id in ["abc", "1.5", "9223372036854775808", "1%20OR%201=1"] {
        assert_eq!(server.get(&format!("/users/{id}")).status, 400, "{id}");
    }
    assert_eq!(server.get("/posts").status, 404);
    assert_eq!(send("PUT", "/users/1", Some("{}")).unwrap().status, 405);
}

#[test]
fn malformed_input_is_4xx_with_nothing_written() {
    let server = Server::start();
    for (body, status) in [
        ("{\"username\": \"ann\"", 400),
        ("", 400),
        ("username=ann", 400),
        ("{}", 422),
        ("{\"username\": \"ann\"}", 422),
        ("{\"username\": 7, \"email\": \"a@x\"}", 422),
        ("{\"username\": null, \"email\": \"a@x\"}", 422),
        ("[]", 422),
    ] {
        assert_eq!(send("POST", "/users", Some(body)).unwrap().status, status, "{body}");
    }
    let text = send_as("POST", "/users", Some(("text/plain", &user("ann").to_string()))).unwrap();
    assert_eq!(text.status, 415);
    assert_eq!(send("PATCH", "/users/1", Some("{\"email\": \"a@x\"}")).unwrap().status, 422);
    assert_eq!(server.in_file::<String>("SELECT username || ' ' || email FROM user"), ["johndoe john@example.com"]);
}

#[test]
fn text_comes_back_as_it_was_sent_and_is_never_sql() {
    let server = Server::start();
    for name in ["Zoë 😀", "'; DROP TABLE user; --", "\" \\ \u{1}", "", "a".repeat(80).as_str()] {
        let answer = server.post("/users", &json!({ "username": name, "email": format!("{name}@x") }));
        assert_eq!((answer.status, &answer.json()["username"]), (201, &json!(name)));
        let id = answer.json()["id"].as_i64().unwrap();
        assert_eq!(server.get(&format!("/users/{id}")).json()["username"], name);
    }
    assert_eq!(server.in_file::<i64>("SELECT count(*) FROM user"), [6]);
}

#[test]
fn pages_have_limits_and_an_end() {
    let server = Server::start();
    let insert = "INSERT INTO user (username, email) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                  WHERE i < 249) SELECT printf('u%03d', i), printf('u%03d@x', i) FROM n";
    rusqlite::Connection::open(server.database()).unwrap().execute(insert, []).unwrap();
    let shape = |query: &str| {
        let body = server.get(&format!("/users?{query}")).json();
        let number = |key: &str| body[key].as_u64().unwrap();
        (number("page"), number("per_page"), body["items"].as_array().unwrap().len(), number("total"), number("pages"))
    };
    assert_eq!(shape(""), (1, 20, 20, 250, 13));
    assert_eq!(shape("page=2&per_page=10"), (2, 10, 10, 250, 25));
    assert_eq!(shape("page=13"), (13, 20, 10, 250, 13));
    assert_eq!(shape("per_page=100000"), (1, 100, 100, 250, 3));
    for query in ["page=0", "page=14", "page=-1", "page=abc", "page=", "per_page=0", "per_page=-1", "per_page=x"] {
        let answer = server.get(&format!("/users?{query}"));
        assert_eq!((answer.status, &answer.json()["error"]), (404, &json!("not_found")), "{query}");
    }
    let second = server.get("/users?page=2&per_page=10").json();
    // johndoe comes before u001
    assert_eq!(second["items"][0]["username"], "u010");
    assert_eq!((&second["prev_num"], &second["next_num"]), (&json!(1), &json!(3)));
}

#[test]
fn after_sigkill_every_answered_write_is_there_and_nothing_else() {
    let mut server = Server::start();
    let (stop, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    // Each writer keeps what was answered, and the one request that the kill may have cut.
    let written: Vec<(Vec<String>, Option<String>)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (stop, answered) = (&stop, &answered);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return (done, None);
                        }
                        let name = format!("w{writer}n{number}");
                        match send("POST", "/users", Some(&user(&name).to_string())) {
                            Ok(answer) => {
                                assert_eq!(answer.status, 201);
                                answered.fetch_add(1, Ordering::Relaxed);
                                done.push(name);
                            }
                            Err(_) => return (done, Some(name)),
                        }
                    }
                    unreachable!("numbers do not end")
                })
            })
            .collect();
        while answered.load(Ordering::Relaxed) < 200 {
            assert!(!writers.iter().any(|writer| writer.is_finished()), "a writer failed before the kill");
            std::thread::yield_now();
        }
        server.kill();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    server.restart();

    let there = server.in_file::<String>("SELECT username FROM user");
    let mut allowed: Vec<&String> = Vec::new();
    for (done, cut) in &written {
        for name in done {
            assert!(there.contains(name), "{name} was answered with 201 and is lost");
        }
        allowed.extend(done.iter().chain(cut));
    }
    for name in there.iter().filter(|name| *name != "johndoe") {
        assert!(allowed.contains(&name), "{name} is there and was never asked for");
    }
    assert_eq!(server.in_file::<String>("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(server.post("/users", &user("after")).status, 201);
}

#[test]
fn the_environment_names_another_database_and_folder() {
    let server = Server::start_with(&[("DATABASE_URL", "sqlite:///shop.db"), ("ALUDEL_INSTANCE_PATH", "data")]);
    assert!(server.in_folder("data/shop.db").is_file());
    assert!(!server.database().exists());
    assert_eq!(server.get("/users/1").json()["username"], "johndoe");
}

#[test]
fn a_setting_that_cannot_be_is_refused_at_the_start_by_name() {
    for (name, value, expected) in [
        ("DATABASE_URL", "sqllite:///shop.db", "did you mean `sqlite`?"),
        ("DATABASE_URL", "", "DATABASE_URL is set to nothing; give it a value or unset it"),
        ("ALUDEL_DATABASE_URI", "sqlite:///no/such/folder/shop.db", "no/such/folder` does not exist; create it"),
        ("ALUDEL_POOL_SIZE", "many", "ALUDEL_POOL_SIZE must be a whole number"),
        ("ALUDEL_BUSY_TIMEOUT", "-1", "ALUDEL_BUSY_TIMEOUT must be a number of seconds"),
    ] {
        let said = refusal(&[(name, value)]);
        assert!(said.contains(expected), "{name}={value}: {said}");
    }
}
