//! Random sequences of operations on a session end with the same rows as the same operations on plain data.

use crate::support::{Backend, TestDb};
use aludel::prelude::*;
use proptest::prelude::*;

#[derive(Model, Clone, Debug)]
#[model(table = "author")]
struct Author {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = author)]
    books: Many<Book>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "book")]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = Author::id)]
    author_id: Option<i64>,
    #[relationship(back_populates = books)]
    author: One<Option<Author>>,
    #[relationship(back_populates = book, cascade = "all, delete-orphan")]
    reviews: Many<Review>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "review")]
struct Review {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Book::id)]
    book_id: i64,
    #[relationship(back_populates = reviews)]
    book: One<Book>,
}

/// One step; numbers choose among the rows that are alive.
#[derive(Clone, Debug)]
enum Step {
    AddAuthor,
    AddBook(Option<usize>),
    AddReview(usize),
    PushBook(usize),
    Rename(usize),
    Retitle(usize),
    Rewrite(usize),
    SetAuthor(usize, Option<usize>),
    PushExisting(usize, usize),
    RemoveBook(usize),
    MoveReview(usize, usize),
    RemoveReview(usize),
    DeleteAuthor(usize),
    DeleteBook(usize),
    DeleteReview(usize),
    LoadBooks(usize),
    LoadReviews(usize),
    LoadAuthor(usize),
    GetBook(usize),
    Flush,
    Savepoint,
    RollbackSavepoint,
    ReleaseSavepoint,
    Rollback,
    Commit,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0usize..1000;
    prop_oneof![
        3 => Just(Step::AddAuthor),
        3 => prop::option::of(n.clone()).prop_map(Step::AddBook),
        3 => n.clone().prop_map(Step::AddReview),
        2 => n.clone().prop_map(Step::PushBook),
        2 => n.clone().prop_map(Step::Rename),
        2 => n.clone().prop_map(Step::Retitle),
        2 => n.clone().prop_map(Step::Rewrite),
        3 => (n.clone(), prop::option::of(n.clone())).prop_map(|(a, b)| Step::SetAuthor(a, b)),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Step::PushExisting(a, b)),
        2 => n.clone().prop_map(Step::RemoveBook),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Step::MoveReview(a, b)),
        1 => n.clone().prop_map(Step::RemoveReview),
        1 => n.clone().prop_map(Step::DeleteAuthor),
        1 => n.clone().prop_map(Step::DeleteBook),
        1 => n.clone().prop_map(Step::DeleteReview),
        2 => n.clone().prop_map(Step::LoadBooks),
        2 => n.clone().prop_map(Step::LoadReviews),
        2 => n.clone().prop_map(Step::LoadAuthor),
        2 => n.prop_map(Step::GetBook),
        2 => Just(Step::Flush),
        2 => Just(Step::Savepoint),
        1 => Just(Step::RollbackSavepoint),
        1 => Just(Step::ReleaseSavepoint),
        1 => Just(Step::Rollback),
        2 => Just(Step::Commit),
        1 => Just(Step::Clear),
    ]
}

/// The plain data: rows by a number of their own.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    authors: Vec<(usize, String)>,
    books: Vec<(usize, String, Option<usize>)>,
    reviews: Vec<(usize, String, usize)>,
}

impl Plain {
    fn delete_book(&mut self, number: usize) {
        self.books.retain(|book| book.0 != number);
        self.reviews.retain(|review| review.2 != number);
    }

    fn delete_author(&mut self, number: usize) {
        self.authors.retain(|author| author.0 != number);
        for book in self.books.iter_mut().filter(|book| book.2 == Some(number)) {
            book.2 = None;
        }
    }

    /// The rows as they read in the database: by name, because keys are the database's own.
    fn rows(&self) -> Vec<String> {
        let author = |number: usize| {
            self.authors.iter().find(|author| author.0 == number).map(|author| author.1.clone()).unwrap_or_default()
        };
        let book = |number: usize| {
            self.books.iter().find(|book| book.0 == number).map(|book| book.1.clone()).unwrap_or_default()
        };
        let mut rows: Vec<String> = self.authors.iter().map(|(_, name)| format!("author {name}")).collect();
        rows.extend(self.books.iter().map(|(_, title, by)| format!("book {title} by {:?}", by.map(author))));
        rows.extend(self.reviews.iter().map(|(_, text, of)| format!("review {text} of {}", book(*of))));
        rows.sort();
        rows
    }
}

/// The same rows in a session.
struct Subject {
    session: Session,
    authors: Vec<(usize, Entity<Author>)>,
    books: Vec<(usize, Entity<Book>)>,
    reviews: Vec<(usize, Entity<Review>)>,
    savepoints: Vec<(Savepoint, Plain)>,
    committed: Plain,
    plain: Plain,
    counter: usize,
}

fn pick<T: Clone>(rows: &[T], choice: usize) -> Option<T> {
    (!rows.is_empty()).then(|| rows[choice % rows.len()].clone())
}

impl Subject {
    fn new(session: Session) -> Self {
        Self {
            session,
            authors: Vec::new(),
            books: Vec::new(),
            reviews: Vec::new(),
            savepoints: Vec::new(),
            committed: Plain::default(),
            plain: Plain::default(),
            counter: 0,
        }
    }

    fn author(&self, number: usize) -> Entity<Author> {
        self.authors.iter().find(|author| author.0 == number).map(|author| author.1.clone()).expect("a live author")
    }

    fn book(&self, number: usize) -> Entity<Book> {
        self.books.iter().find(|book| book.0 == number).map(|book| book.1.clone()).expect("a live book")
    }

    fn review(&self, number: usize) -> Entity<Review> {
        self.reviews.iter().find(|review| review.0 == number).map(|review| review.1.clone()).expect("a live review")
    }

    fn name(&mut self) -> (usize, String) {
        self.counter += 1;
        (self.counter, format!("n{}", self.counter))
    }

    async fn run(&mut self, step: Step) -> Result<()> {
        match step {
            Step::AddAuthor => {
                let (number, name) = self.name();
                let author = self.session.add(Author::build().name(name.as_str()));
                self.authors.push((number, author));
                self.plain.authors.push((number, name));
            }
            Step::AddBook(by) => {
                let (number, title) = self.name();
                let by = by.and_then(|choice| pick(&self.plain.authors, choice)).map(|author| author.0);
                let book = match by {
                    Some(by) => {
                        let author = self.author(by);
                        self.session.add(Book::build().title(title.as_str()).author(&author))
                    }
                    None => self.session.add(Book::build().title(title.as_str())),
                };
                self.books.push((number, book));
                self.plain.books.push((number, title, by));
            }
            Step::PushBook(by) => {
                if let Some(by) = pick(&self.plain.authors, by) {
                    let (number, title) = self.name();
                    let book = self.author(by.0).push(Author::books, Book::build().title(title.as_str()));
                    self.books.push((number, book));
                    self.plain.books.push((number, title, Some(by.0)));
                }
            }
            Step::AddReview(of) => {
                if let Some(of) = pick(&self.plain.books, of) {
                    let (number, text) = self.name();
                    let book = self.book(of.0);
                    let review = self.session.add(Review::build().text(text.as_str()).book(&book));
                    self.reviews.push((number, review));
                    self.plain.reviews.push((number, text, of.0));
                }
            }
            Step::Rename(choice) => {
                if let Some(author) = pick(&self.plain.authors, choice) {
                    let (_, name) = self.name();
                    self.author(author.0).set(Author::name, name.as_str());
                    self.plain.authors.iter_mut().find(|row| row.0 == author.0).expect("alive").1 = name;
                }
            }
            Step::Retitle(choice) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    let (_, title) = self.name();
                    self.book(book.0).edit(|book| book.title.clone_from(&title));
                    self.plain.books.iter_mut().find(|row| row.0 == book.0).expect("alive").1 = title;
                }
            }
            Step::Rewrite(choice) => {
                if let Some(review) = pick(&self.plain.reviews, choice) {
                    let (_, text) = self.name();
                    self.review(review.0).set(Review::text, text.as_str());
                    self.plain.reviews.iter_mut().find(|row| row.0 == review.0).expect("alive").1 = text;
                }
            }
            Step::SetAuthor(choice, by) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    let by = by.and_then(|choice| pick(&self.plain.authors, choice)).map(|author| author.0);
                    match by {
                        Some(by) => self.book(book.0).set(Book::author, self.author(by)),
                        None => self.book(book.0).set(Book::author, None),
                    }
                    self.plain.books.iter_mut().find(|row| row.0 == book.0).expect("alive").2 = by;
                }
            }
            Step::PushExisting(by, choice) => {
                if let (Some(by), Some(book)) = (pick(&self.plain.authors, by), pick(&self.plain.books, choice)) {
                    self.author(by.0).push(Author::books, self.book(book.0));
                    self.plain.books.iter_mut().find(|row| row.0 == book.0).expect("alive").2 = Some(by.0);
                }
            }
            Step::RemoveBook(choice) => {
                let owned: Vec<_> = self.plain.books.iter().filter(|book| book.2.is_some()).cloned().collect();
                if let Some((number, _, Some(by))) = pick(&owned, choice) {
                    self.author(by).remove(Author::books, &self.book(number));
                    self.plain.books.iter_mut().find(|row| row.0 == number).expect("alive").2 = None;
                }
            }
            Step::MoveReview(choice, to) => {
                if let (Some(review), Some(book)) = (pick(&self.plain.reviews, choice), pick(&self.plain.books, to)) {
                    self.review(review.0).set(Review::book, self.book(book.0));
                    self.plain.reviews.iter_mut().find(|row| row.0 == review.0).expect("alive").2 = book.0;
                }
            }
            Step::RemoveReview(choice) => {
                if let Some(review) = pick(&self.plain.reviews, choice) {
                    self.book(review.2).remove(Book::reviews, &self.review(review.0));
                    self.plain.reviews.retain(|row| row.0 != review.0);
                }
            }
            Step::DeleteAuthor(choice) => {
                if let Some(author) = pick(&self.plain.authors, choice) {
                    self.session.delete(&self.author(author.0));
                    // What a deleted parent leaves behind is settled by the flush.
                    self.session.flush().await?;
                    self.plain.delete_author(author.0);
                }
            }
            Step::DeleteBook(choice) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    self.session.delete(&self.book(book.0));
                    self.session.flush().await?;
                    self.plain.delete_book(book.0);
                }
            }
            Step::DeleteReview(choice) => {
                if let Some(review) = pick(&self.plain.reviews, choice) {
                    self.session.delete(&self.review(review.0));
                    self.plain.reviews.retain(|row| row.0 != review.0);
                }
            }
            Step::LoadBooks(choice) => {
                if let Some(author) = pick(&self.plain.authors, choice) {
                    let loaded = self.author(author.0).load(Author::books).await?;
                    let mut titles: Vec<_> = loaded.iter().map(|book| book.title.clone()).collect();
                    let rows = self.plain.books.iter().filter(|book| book.2 == Some(author.0));
                    let mut expected: Vec<_> = rows.map(|book| book.1.clone()).collect();
                    titles.sort();
                    expected.sort();
                    assert_eq!(titles, expected, "the books of an author as loaded");
                }
            }
            Step::LoadReviews(choice) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    let loaded = self.book(book.0).load(Book::reviews).await?;
                    let mut texts: Vec<_> = loaded.iter().map(|review| review.text.clone()).collect();
                    let rows = self.plain.reviews.iter().filter(|review| review.2 == book.0);
                    let mut expected: Vec<_> = rows.map(|review| review.1.clone()).collect();
                    texts.sort();
                    expected.sort();
                    assert_eq!(texts, expected, "the reviews of a book as loaded");
                }
            }
            Step::LoadAuthor(choice) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    let author = self.book(book.0).load(Book::author).await?;
                    let expected = book
                        .2
                        .and_then(|by| self.plain.authors.iter().find(|row| row.0 == by))
                        .map(|row| row.1.clone());
                    assert_eq!(author.map(|author| author.name.clone()), expected, "the author of a book as loaded");
                }
            }
            Step::GetBook(choice) => {
                if let Some(book) = pick(&self.plain.books, choice) {
                    let entity = self.book(book.0);
                    self.session.flush().await?;
                    let found = self.session.get::<Book>(entity.id).await?.expect("the row is there");
                    assert_eq!(found, entity, "one key is one entity");
                    assert_eq!(found.title, book.1);
                }
            }
            Step::Flush => self.session.flush().await?,
            Step::Savepoint => {
                if self.savepoints.len() < 3 {
                    let savepoint = self.session.begin_nested().await?;
                    self.savepoints.push((savepoint, self.plain.clone()));
                }
            }
            Step::RollbackSavepoint => {
                if let Some((savepoint, plain)) = self.savepoints.pop() {
                    savepoint.rollback().await?;
                    self.plain = plain;
                    self.check_values();
                }
            }
            Step::ReleaseSavepoint => {
                if let Some((savepoint, _)) = self.savepoints.pop() {
                    savepoint.release().await?;
                }
            }
            Step::Rollback => {
                self.savepoints.clear();
                self.session.rollback().await?;
                self.plain = self.committed.clone();
                self.check_values();
            }
            Step::Commit => {
                self.savepoints.clear();
                self.session.commit().await?;
                self.committed = self.plain.clone();
            }
            Step::Clear => self.reload().await?,
        }
        Ok(())
    }

    /// The entities read as the plain data does.
    fn check_values(&self) {
        for (number, name) in &self.plain.authors {
            assert_eq!(&self.author(*number).name, name);
        }
        for (number, title, _) in &self.plain.books {
            assert_eq!(&self.book(*number).title, title);
        }
        for (number, text, _) in &self.plain.reviews {
            assert_eq!(&self.review(*number).text, text);
        }
    }

    /// Commits, forgets all entities and gets those again that are alive.
    async fn reload(&mut self) -> Result<()> {
        Box::pin(self.run(Step::Commit)).await?;
        let mut keys = (Vec::new(), Vec::new(), Vec::new());
        keys.0.extend(self.plain.authors.iter().map(|row| (row.0, self.author(row.0).id)));
        keys.1.extend(self.plain.books.iter().map(|row| (row.0, self.book(row.0).id)));
        keys.2.extend(self.plain.reviews.iter().map(|row| (row.0, self.review(row.0).id)));
        self.authors.clear();
        self.books.clear();
        self.reviews.clear();
        self.session.clear();
        for (number, key) in keys.0 {
            self.authors.push((number, self.session.get_one(key).await?));
        }
        for (number, key) in keys.1 {
            self.books.push((number, self.session.get_one(key).await?));
        }
        for (number, key) in keys.2 {
            self.reviews.push((number, self.session.get_one(key).await?));
        }
        Ok(())
    }
}

/// The rows, through a connection of another library.
fn rows_in(db: &TestDb) -> Vec<String> {
    let query = "SELECT 'author ' || name FROM author
        UNION ALL SELECT 'book ' || title || ' by ' || CASE WHEN author_id IS NULL THEN 'None' ELSE 'Some(\"' ||
            coalesce((SELECT name FROM author WHERE id = author_id), '?') || '\")' END FROM book
        UNION ALL SELECT 'review ' || text || ' of ' || coalesce((SELECT title FROM book WHERE id = book_id), '?') FROM review";
    let mut rows = db.rows(query);
    rows.sort();
    rows
}

/// Each has tables of its own, which take a server longer than a file.
fn cases() -> u32 {
    Backend::current().pick(400, 60, 60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_session_ends_with_the_rows_of_plain_data(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let db = TestDb::new().await;
            let mut subject = Subject::new(db.session());
            for step in steps {
                subject.run(step).await.expect("each step is allowed");
            }
            subject.savepoints.clear();
            subject.session.commit().await.expect("a commit");
            assert_eq!(rows_in(&db), subject.plain.rows());
        });
    }
}
