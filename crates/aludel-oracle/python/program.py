"""A program run by SQLAlchemy, operation by operation as `src/ours.rs` does."""

from sqlalchemy import delete, event, exc, inspect, select, update
from sqlalchemy.orm import Session, exc as orm_exc, joinedload, selectinload

from models import KINDS, Article, Category, Comment, Person, Tag

PATHS = {
    "person_articles_comments": (Person.articles, Article.comments),
    "category_children_articles": (Category.children, Category.articles),
    "article_comments_writer": (Article.comments, Comment.writer),
    "tag_articles_author": (Tag.articles, Article.author),
}

SKIPPED = "skipped"
VERBS = {"SELECT": "select", "WITH": "select", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}


class Statements:
    """What the engine executes."""

    def __init__(self, engine):
        self.log = []
        self.known = 0
        self.rewrites = engine.dialect.driver == "pymysql"
        event.listen(engine, "before_cursor_execute", self.note)

    def note(self, _connection, _cursor, statement, parameters, _context, executemany):
        verb = VERBS.get(statement.split(None, 1)[0])
        # PyMySQL writes the rows of an INSERT into one statement, where it is asked to execute many. Where SQLAlchemy has
        # written them into one (insertmanyvalues), the parameters are no list of rows.
        many = executemany and isinstance(parameters, list) and not (verb == "insert" and self.rewrites)
        self.log.append((verb, statement, len(parameters) if many else 1))

    def take(self):
        log, self.log = self.log, []
        return log


def shown(row):
    text = f"{row.label} {row.name} {'-' if row.n is None else row.n}"
    return f"{text} v{row.version}" if isinstance(row, Article) else text


def shown_all(rows):
    return ", ".join(sorted(shown(row) for row in rows))


def related(value):
    if value is None:
        return "none"
    return shown_all(value) if isinstance(value, list) else shown(value)


def related_of(row, rel):
    """In brackets, as a query with a relationship shows it."""
    return f"{shown(row)} [{related(getattr(row, rel))}]"


def kind_of(error):
    """The word for an error that the other side has too."""
    if isinstance(error, orm_exc.StaleDataError):
        return "stale"
    if isinstance(error, (orm_exc.ObjectDeletedError, exc.NoResultFound)) or "Could not refresh" in str(error):
        return "gone"
    if isinstance(error, exc.IntegrityError):
        text = str(error.orig)
        codes = (getattr(error.orig, "sqlstate", None), error.orig.args[0] if error.orig.args else None)
        for word, marks in (
            ("unique", ("23505", 1062, "UNIQUE constraint")),
            ("foreign key", ("23503", 1451, 1452, "FOREIGN KEY constraint")),
            ("not null", ("23502", 1048, 1364, "NOT NULL constraint")),
        ):
            if any(mark in codes or (isinstance(mark, str) and mark in text) for mark in marks):
                return word
    return f"{type(error).__name__}: {error}"


class Run:
    """One program under way."""

    def __init__(self, engine, statements, program):
        self.session = Session(engine, autoflush=False)
        self.statements = statements
        self.autoflush = program["autoflush"]
        self.rows = {}
        self.doomed = set()
        self.savepoints = []
        self.expires = False
        self.linked = False
        self.moved = set()
        self.moved_others = False
        self.stale = False
        event.listen(self.session, "persistent_to_deleted", self.deleted)

    def run(self, ops):
        trace, failed, messages, sql = [], False, [], []
        counts = {verb: {"statements": 0, "executions": 0} for verb in VERBS.values()}
        self.statements.take()
        self.statements.known = 0
        for op in ops:
            try:
                step = self.step(op)
            except Exception as error:  # Whatever it is, it is what this side says to the operation.
                failed = True
                messages.append(f"{type(error).__name__}: {error}")
                step = f"error: {kind_of(error)}"
                self.recover()
            log = self.statements.take()
            for verb, _, executions in log:
                if verb:
                    counts[verb]["statements"] += 1
                    counts[verb]["executions"] += executions
            sql.append([f"{text} (x{times})" if times > 1 else text for _, text, times in log])
            trace.append(step)
        self.session.close()
        for key in ("statements", "executions"):
            # Of no interest by themselves: see `know`.
            counts["select"][key] -= self.statements.known
        counts["known"] = self.statements.known
        return {"trace": trace, "counts": counts, "failed": failed, "messages": messages, "sql": sql}

    def alive(self, h):
        row = self.rows.get(h)
        if row is None or h in self.doomed:
            return None
        state = inspect(row)
        return row if state.pending or state.persistent else None

    def all_alive(self, handles):
        rows = [self.alive(h) for h in handles]
        # A row that has two names: a list would hold it twice, a collection of rows does not.
        return None if any(row is None for row in rows) else list(dict.fromkeys(rows))

    def flush(self):
        self.session.flush()
        self.flushed()

    def deleted(self, _session, _row):
        self.stale = True

    def flushed(self):
        self.doomed.clear()
        self.linked = False
        self.moved.clear()
        self.moved_others = False
        if self.expires:
            self.expires = False
            self.session.expire_all()
        elif self.stale:
            # Loaded collections still have the rows that are deleted; Aludel's have not.
            for row in self.session:
                if inspect(row).persistent:
                    self.session.expire(row, inspect(type(row)).relationships.keys())
        self.stale = False

    def rolled_back(self):
        self.doomed.clear()
        self.expires = False
        self.linked = False
        self.moved.clear()
        self.moved_others = False

    def recover(self):
        self.rolled_back()
        if self.savepoints:
            self.savepoints.pop().rollback()
        else:
            self.session.rollback()

    def settle(self):
        if self.doomed:
            self.flush()

    def before_query(self):
        if not self.autoflush or self.expires or self.doomed or self.linked:
            self.flush()

    def step(self, op):
        if op["op"] in ("set_one", "set_many", "push", "remove"):
            try:
                self.settle()
                return getattr(self, op["op"])(op)
            finally:
                self.linked = True
        name = "flush_op" if op["op"] == "flush" else op["op"]
        return getattr(self, name)(op)

    def add(self, op):
        linked = bool(op["one"] or op["many"] or op["into"])
        if linked:
            self.settle()
        fields = {"label": op["label"], "name": op["name"], "n": op["n"]}
        for rel, h in op["one"]:
            fields[rel] = self.alive(h)
            if fields[rel] is None:
                return SKIPPED
        for rel, handles in op["many"]:
            fields[rel] = self.all_alive(handles)
            if fields[rel] is None:
                return SKIPPED
        parent = None
        if op["into"]:
            parent = self.alive(op["into"][0])
            if parent is None:
                return SKIPPED
        for rel, _ in op["many"]:
            for child in fields[rel]:
                if not self.before_move(child, KINDS[op["kind"]]):
                    return SKIPPED
        for rel, _ in op["many"]:
            if isinstance(parent, (Article, Tag)) and rel in ("articles", "tags"):
                # It is linked with it below, also where the row has two names.
                fields[rel] = [other for other in fields[rel] if other is not parent]
        row = KINDS[op["kind"]](**fields)
        if parent is not None:
            getattr(parent, op["into"][1]).append(row)
        self.session.add(row)
        for rel, _ in op["many"]:
            for child in fields[rel]:
                self.mark_moved(child, KINDS[op["kind"]])
        self.rows[op["h"]] = row
        self.linked = self.linked or linked
        return "done"

    def know(self, row, name):
        """Reads what is about to be written. SQLAlchemy writes a value that it does not know to be there already, and
        raises the version for it; Aludel knows what was last read."""
        before = len(self.statements.log)
        getattr(row, name)
        self.statements.known += sum(verb == "select" for verb, _, _ in self.statements.log[before:])

    def set(self, op):
        row = self.alive(op["h"])
        if row is None:
            return SKIPPED
        for column, value in op["set"].items():
            self.know(row, column)
            setattr(row, column, value)
        return "done"

    def before_move(self, child, parent):
        """Flushes where the two sides would differ: see `src/ours.rs`. Whether the child is still there."""
        if isinstance(child, Comment):
            unsettled = inspect(child).pending if parent is Article else self.linked
        elif isinstance(child, Article) and parent is not Tag and not inspect(child).pending:
            unsettled = self.moved_others or (child, parent) in self.moved
        else:
            unsettled = False
        if unsettled:
            self.flush()
        state = inspect(child)
        return state.pending or state.persistent

    def mark_moved(self, child, parent):
        if isinstance(child, Article):
            self.moved.add((child, parent))

    def set_one(self, op):
        row = self.alive(op["h"])
        to = None if op["to"] is None else self.alive(op["to"])
        if row is None or (to is None and op["to"] is not None):
            return SKIPPED
        parent = {"author": Person, "writer": Person, "article": Article}.get(op["rel"], Category)
        if (to is not None or isinstance(row, Article)) and not self.before_move(row, parent):
            return SKIPPED
        self.know(row, op["rel"])
        setattr(row, op["rel"], to)
        self.mark_moved(row, parent)
        return "done"

    def set_many(self, op):
        self.flush()
        row, to = self.alive(op["h"]), self.all_alive(op["to"])
        if row is None or to is None:
            return SKIPPED
        setattr(row, op["rel"], to)
        self.moved_others = True
        return "done"

    def push(self, op):
        if op["load"]:
            self.flush()
        row, child = self.alive(op["h"]), self.alive(op["child"])
        if row is None or child is None:
            return SKIPPED
        if not self.before_move(child, type(row)):
            return SKIPPED
        collection = getattr(row, op["rel"])
        # A list holds what is appended twice twice; a collection of rows does not.
        if child not in collection:
            collection.append(child)
        self.mark_moved(child, type(row))
        return "done"

    def remove(self, op):
        self.flush()
        row, child = self.alive(op["h"]), self.alive(op["child"])
        if row is None or child is None:
            return SKIPPED
        collection = getattr(row, op["rel"])
        if child not in collection:
            return "not in it"
        collection.remove(child)
        self.moved_others = True
        return "done"

    def delete(self, op):
        row = self.alive(op["h"])
        # The cascade asks the database for what hangs on the row.
        if self.linked or (row is not None and inspect(row).pending):
            self.flush()
            row = self.alive(op["h"])
        if row is None:
            return SKIPPED
        self.session.delete(row)
        self.doomed.add(op["h"])
        self.expires = self.expires or isinstance(row, Person)
        return "done"

    def flush_op(self, _op):
        self.flush()
        return "done"

    def commit(self, _op):
        while self.savepoints:
            self.savepoints.pop().commit()
        self.session.commit()
        self.flushed()
        return "done"

    def rollback(self, _op):
        self.savepoints.clear()
        self.session.rollback()
        self.rolled_back()
        return "done"

    def savepoint(self, _op):
        self.savepoints.append(self.session.begin_nested())
        self.flushed()
        return "done"

    def release(self, _op):
        if not self.savepoints:
            return SKIPPED
        self.savepoints.pop().commit()
        self.flushed()
        return "done"

    def rollback_to(self, _op):
        if not self.savepoints:
            return SKIPPED
        self.savepoints.pop().rollback()
        self.rolled_back()
        return "done"

    def one_row(self, op):
        self.flush()
        return self.alive(op["h"])

    def load(self, op):
        row = self.one_row(op)
        return SKIPPED if row is None else related(getattr(row, op["rel"]))

    def get(self, op):
        row = self.one_row(op)
        if row is None:
            return SKIPPED
        found = self.session.get(type(row), inspect(row).identity)
        return "gone" if found is None else shown(found)

    def refresh(self, op):
        row = self.one_row(op)
        if row is None:
            return SKIPPED
        self.session.refresh(row)
        return shown(row)

    def merge(self, op):
        row = self.one_row(op)
        if row is None:
            return SKIPPED
        key = inspect(type(row)).primary_key[0].name
        given = {key: inspect(row).identity[0], "label": row.label, "name": op["name"], "n": op["n"]}
        if isinstance(row, Comment):
            given["article_id"] = row.article_id
        return shown(self.session.merge(type(row)(**given)))

    def merge_tag(self, op):
        self.flush()
        tag = self.session.merge(Tag(label=op["label"], name=op["name"], n=op["n"]))
        self.rows[op["h"]] = tag
        return shown(tag)

    def merge_copy(self, op):
        self.commit(None)
        row = self.alive(op["h"])
        if row is None:
            return SKIPPED
        tag = None if op["tag"] is None else self.alive(op["tag"])
        counted = len(self.statements.log)
        with Session(self.session.get_bind(), autoflush=False) as other:
            key = inspect(row).identity[0]
            loads = (selectinload(Article.comments), selectinload(Article.tags))
            copy = other.execute(select(Article).where(Article.id == key).options(*loads)).scalar_one()
            copy.name = op["name"]
            if op["drop"] and copy.comments:
                copy.comments.remove(min(copy.comments, key=lambda comment: comment.label))
            if op["comment"]:
                copy.comments.append(Comment(label=op["comment"], name=op["name"]))
            if tag is not None:
                tag = other.get(Tag, inspect(tag).identity[0])
                if tag not in copy.tags:
                    copy.tags.append(tag)
            del self.statements.log[counted:]
            merged = self.session.merge(copy)
        self.rows[op["h"]] = merged
        self.linked = True
        return shown(merged)

    def conflict(self, op):
        self.commit(None)
        row = self.alive(op["h"])
        if row is None:
            return SKIPPED
        shown(row)
        # What it has read it is to keep, for the conflict's sake; no transaction stays open meanwhile.
        self.session.expire_on_commit = False
        self.session.commit()
        self.session.expire_on_commit = True
        if not isinstance(row, (Article, Comment)):
            self.session.expire_all()
            return "nobody else"
        counted = len(self.statements.log)
        model, key = type(row), inspect(row).identity[0]
        with Session(self.session.get_bind()) as other:
            if model is Article:
                other.execute(update(Article).where(Article.id == key).values(n=-1, version=Article.version + 1))
            else:
                other.execute(delete(Comment).where(Comment.id == key))
            other.commit()
        del self.statements.log[counted:]
        # After the rollback it would be read anew before it is changed; Aludel asks for that.
        del self.rows[op["h"]]
        row.n = 77
        self.flush()
        return "done"

    def load_all(self, op):
        self.flush()
        model = KINDS[op["kind"]]
        rows = self.run_query(select(model).order_by(model.label)).scalars().all()
        return "; ".join(related_of(row, op["rel"]) for row in rows)

    def nested(self, op):
        self.before_query()
        first, second = PATHS[op["path"]]
        load = joinedload if op["how"] == "joined" else selectinload
        option = load(first)
        option = option.joinedload(second) if op["how"] == "joined" else option.selectinload(second)
        model = first.class_
        rows = self.run_query(select(model).options(option).order_by(model.label)).unique().scalars().all()
        self.flushed()
        texts = []
        for row in rows:
            inner = sorted(related_of(child, second.key) for child in getattr(row, first.key))
            texts.append(f"{shown(row)} [{', '.join(inner)}]")
        return "; ".join(texts)

    def run_query(self, query):
        self.session.autoflush = self.autoflush
        try:
            return self.session.execute(query)
        finally:
            self.session.autoflush = False

    def filtered(self, statement, kind, condition):
        model = KINDS[kind]
        if condition == "all":
            return statement
        if condition == "no_number":
            return statement.where(model.n.is_(None))
        if "above" in condition:
            return statement.where(model.n > condition["above"])
        return statement.where(model.name < condition["name_below"])

    def query(self, op):
        self.before_query()
        model = KINDS[op["kind"]]
        query = self.filtered(select(model), op["kind"], op["filter"])
        order = (model.name.desc(), model.label.desc()) if op["descending"] else (model.name, model.label)
        query = query.order_by(*order)
        if op["limit"] is not None:
            query = query.limit(op["limit"])
        rows = self.run_query(query).scalars().all()
        self.flushed()
        return ", ".join(shown(row) for row in rows)

    def eager(self, op):
        self.before_query()
        model = KINDS[op["kind"]]
        load = (joinedload if op["how"] == "joined" else selectinload)(getattr(model, op["rel"]))
        rows = self.run_query(select(model).options(load).order_by(model.label)).unique().scalars().all()
        self.flushed()
        return "; ".join(related_of(row, op["rel"]) for row in rows)

    def find(self, op):
        self.before_query()
        model = KINDS[op["kind"]]
        row = self.run_query(select(model).where(model.label == op["label"]).limit(1)).scalars().first()
        self.flushed()
        if row is None:
            return "none"
        self.rows[op["h"]] = row
        return shown(row)

    def expire_all(self, _op):
        self.flush()
        self.session.expire_all()
        return "done"

    def clear(self, _op):
        # What is found again must not be rolled back.
        self.commit(None)
        self.session.expunge_all()
        self.rows.clear()
        return "done"

    def bulk_update(self, op):
        self.before_query()
        model = KINDS[op["kind"]]
        values = {"n": op["n"]}
        if model is Article:
            # Aludel's bulk updates raise the version; SQLAlchemy's do where they are told.
            values["version"] = Article.version + 1
        statement = self.filtered(update(model), op["kind"], op["filter"]).values(**values)
        count = self.run_query(statement).rowcount
        return self.read_again(model, count)

    def bulk_delete(self, op):
        self.before_query()
        before = [h for h, row in self.rows.items() if isinstance(row, Comment) and self.alive(h) is not None]
        count = self.run_query(self.filtered(delete(Comment), "comment", op["filter"])).rowcount
        done = self.read_again(Comment, count)
        for h in before:
            # A rollback would bring them back here, and does not there.
            if h in self.rows and self.alive(h) is None:
                del self.rows[h]
        return done

    def read_again(self, model, count):
        self.flushed()
        self.session.expire_all()
        for h in [h for h, row in self.rows.items() if isinstance(row, model)]:
            row = self.alive(h)
            if row is None:
                continue
            counted = len(self.statements.log)
            try:
                self.session.refresh(row)
            except exc.InvalidRequestError as error:
                if kind_of(error) != "gone":
                    raise
                self.session.expunge(row)
                del self.rows[h]
            finally:
                # What the comparison reads is nobody's cost.
                del self.statements.log[counted:]
        return str(count)
