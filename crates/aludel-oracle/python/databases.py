"""The two databases of a backend: SQLAlchemy's engine, and plain connections that read and empty both."""

import sqlite3

from sqlalchemy import create_engine, event, text

# In the order of the keys, which is that of the INSERTs, where rows do not depend on each other.
TABLES = {
    "person": "SELECT label, name, n FROM person ORDER BY id",
    "category": "SELECT c.label, c.name, c.n, p.label FROM category c LEFT JOIN category p ON p.id = c.parent_id ORDER BY c.label",
    "article": "SELECT a.label, a.name, a.n, a.version, p.label, c.label FROM article a "
    "LEFT JOIN person p ON p.id = a.author_id LEFT JOIN category c ON c.id = a.category_id ORDER BY a.id",
    "comment": "SELECT c.label, c.name, c.n, a.label, p.label FROM comment c LEFT JOIN article a ON a.id = c.article_id "
    "LEFT JOIN person p ON p.id = c.writer_id ORDER BY c.id",
    "tag": "SELECT label, name, n FROM tag ORDER BY label",
    "article_tag": "SELECT a.label, tag_label FROM article_tag LEFT JOIN article a ON a.id = article_id ORDER BY 1, 2",
}


class Plain:
    """A connection of the driver alone."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, sql):
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()

    def take(self):
        """All rows, which are gone then."""
        self.run("BEGIN")
        rows = [(table, [" ".join("-" if v is None else str(v) for v in row) for row in self.run(sql)]) for table, sql in TABLES.items()]
        if self.run("SELECT 1 FROM category WHERE parent_id IS NOT NULL LIMIT 1"):
            self.run("UPDATE category SET parent_id = NULL")
        for table in ("article_tag", "comment", "article", "category", "person", "tag"):
            self.run(f"DELETE FROM {table}")
        self.run("COMMIT")
        return rows


class Sqlite:
    def __init__(self, settings):
        self.settings = settings

    def engine(self):
        engine = create_engine(f"sqlite:///{self.settings['theirs']}")

        @event.listens_for(engine, "connect")
        def connected(connection, _record):
            # The driver would begin transactions by itself, and end them before savepoints.
            connection.isolation_level = None
            for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = OFF"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def begins(connection):
            connection.exec_driver_sql("BEGIN")

        return engine

    def plain(self, whose):
        connection = sqlite3.connect(self.settings[whose], isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = OFF")
        return Plain(connection)

    def drop(self):
        pass


class Postgres:
    def __init__(self, settings):
        self.settings = settings
        import psycopg

        self.psycopg = psycopg
        for whose in ("ours", "theirs"):
            self.connect(whose).execute(f"CREATE SCHEMA {settings[whose]}")

    def connect(self, whose):
        options = f"-csearch_path={self.settings[whose]} -csynchronous_commit=off"
        return self.psycopg.connect(self.settings["server"], options=options, autocommit=True)

    def engine(self):
        def creator():
            connection = self.connect("theirs")
            connection.autocommit = False
            return connection

        return create_engine("postgresql+psycopg://", creator=creator)

    def plain(self, whose):
        return Plain(self.connect(whose))

    def drop(self):
        connection = self.connect("theirs")
        for whose in ("ours", "theirs"):
            connection.execute(f"DROP SCHEMA {self.settings[whose]} CASCADE")


class MariaDb:
    def __init__(self, settings):
        self.settings = settings
        import pymysql

        self.pymysql = pymysql
        server = Plain(pymysql.connect(**self.place(), autocommit=True))
        for whose in ("ours", "theirs"):
            server.run(f"CREATE DATABASE {settings[whose]}")

    def place(self):
        return {key: self.settings[key] for key in ("host", "port", "user", "password")}

    def connect(self, whose, **more):
        return self.pymysql.connect(**self.place(), database=self.settings[whose], charset="utf8mb4", **more)

    def engine(self):
        # Rows that an UPDATE found count, also where it changed nothing: as SQLAlchemy asks for where it connects itself.
        found_rows = self.pymysql.constants.CLIENT.FOUND_ROWS
        return create_engine("mysql+pymysql://", creator=lambda: self.connect("theirs", client_flag=found_rows))

    def plain(self, whose):
        return Plain(self.connect(whose, autocommit=True))

    def drop(self):
        plain = self.plain("theirs")
        for whose in ("ours", "theirs"):
            plain.run(f"DROP DATABASE {self.settings[whose]}")


BACKENDS = {"sqlite": Sqlite, "postgres": Postgres, "mariadb": MariaDb}
