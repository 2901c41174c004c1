CREATE TABLE country (code VARCHAR(2) NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, area DOUBLE);

CREATE TABLE region (
    country_code VARCHAR(2) NOT NULL REFERENCES country (code) ON UPDATE CASCADE,
    code VARCHAR(10) NOT NULL,
    parent_code VARCHAR(10),
    PRIMARY KEY (country_code, code),
    FOREIGN KEY (country_code, parent_code) REFERENCES region (country_code, code) ON DELETE RESTRICT
);

CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    email VARCHAR(120) NOT NULL,
    name TEXT,
    vip BOOLEAN NOT NULL DEFAULT FALSE,
    joined DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    born DATE,
    mood VARCHAR(10) NOT NULL DEFAULT 'calm',
    balance NUMERIC(12, 2) NOT NULL DEFAULT 0,
    referrer_id INTEGER REFERENCES customer (id) ON DELETE SET NULL,
    CONSTRAINT email_is_one UNIQUE (email),
    CONSTRAINT "balance is no debt" CHECK (balance >= 0 AND (name <> ')' OR name IS NULL)),
    CHECK ("mood" IN ('calm', 'in a hurry', 'it''s late'))
);
CREATE UNIQUE INDEX customer_email_lower ON customer (lower(email));
CREATE INDEX customer_vips ON customer (joined DESC, name) WHERE vip AND balance > 0;
CREATE INDEX customer_names ON customer (name COLLATE NOCASE DESC, born);

CREATE TABLE address (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    country_code VARCHAR(2) DEFAULT 'DE' REFERENCES country (code) ON DELETE SET DEFAULT ON UPDATE CASCADE,
    line TEXT NOT NULL
);
CREATE INDEX ix_address_customer_id ON address (customer_id);

CREATE TABLE shipment (
    id INTEGER PRIMARY KEY,
    from_id INTEGER NOT NULL REFERENCES address (id),
    to_id INTEGER NOT NULL REFERENCES address,
    return_to INTEGER REFERENCES address (id) ON DELETE SET NULL,
    CHECK (from_id <> to_id)
);

CREATE TABLE product (
    sku VARCHAR(20) NOT NULL,
    version INT NOT NULL,
    title VARCHAR NOT NULL,
    price NUMERIC(10, 2) NOT NULL,
    quantity INTEGER NOT NULL DEFAULT (1 + 1),
    worth NUMERIC(14, 2) GENERATED ALWAYS AS (price * quantity) STORED,
    shouted TEXT NOT NULL AS (upper(title || ')')),
    details JSON NOT NULL DEFAULT '{"a": "it''s"}',
    PRIMARY KEY (sku, version)
);
CREATE INDEX product_sum ON product (price + quantity, version DESC);

CREATE TABLE tag (id CHAR(36) NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE);

CREATE TABLE product_tag (
    sku VARCHAR(20) NOT NULL,
    version INTEGER NOT NULL,
    tag_id CHAR(36) NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
    PRIMARY KEY (sku, version, tag_id),
    FOREIGN KEY (sku, version) REFERENCES product (sku, version) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE purchase (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    paid_by_id INTEGER REFERENCES customer (id) ON DELETE SET NULL,
    at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    UNIQUE (customer_id, at)
);

CREATE TABLE purchase_line (
    purchase_id INTEGER NOT NULL REFERENCES purchase (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    sku VARCHAR(20) NOT NULL,
    version INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 1 CONSTRAINT some_of_it CHECK (count > 0),
    PRIMARY KEY (purchase_id, line),
    CONSTRAINT fk_of_two FOREIGN KEY (sku, version) REFERENCES product (sku, version)
);

CREATE TABLE invoice (
    id INTEGER CONSTRAINT invoice_key PRIMARY KEY,
    purchase_id INTEGER NOT NULL UNIQUE REFERENCES purchase (id) ON DELETE RESTRICT,
    number VARCHAR(20) NOT NULL,
    issued DATE NOT NULL DEFAULT CURRENT_DATE
);
CREATE UNIQUE INDEX invoice_number ON invoice (number) WHERE issued > '2020-01-01';

CREATE TABLE customer_profile (
    customer_id INTEGER PRIMARY KEY REFERENCES customer (id) ON DELETE CASCADE,
    picture BLOB,
    "aboutMe" TEXT DEFAULT 'nothing'
);

CREATE TABLE friendship (
    one_id INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    other_id INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    since DATE NOT NULL,
    PRIMARY KEY (one_id, other_id)
);

CREATE TABLE department (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    head_id INTEGER UNIQUE,
    CONSTRAINT department_head FOREIGN KEY (head_id) REFERENCES employee (id)
);
CREATE TABLE employee (
    id INTEGER PRIMARY KEY,
    department_id INTEGER NOT NULL REFERENCES department (id),
    manager_id INTEGER REFERENCES employee (id),
    hours FLOAT,
    starts TIME
);

CREATE TABLE "order" (
    id INTEGER PRIMARY KEY,
    "type" TEXT NOT NULL,
    "select" INTEGER,
    "1st" INTEGER,
    "Mixed Case" INTEGER,
    "query" TEXT,
    "self" INTEGER REFERENCES "order" (id),
    "größe" INTEGER,
    "a""quote" INTEGER
);
CREATE INDEX "order by" ON "order" ("select", "Mixed Case");

CREATE TABLE ticket (
    id INTEGER PRIMARY KEY,
    priority VARCHAR(4) NOT NULL DEFAULT 'low' CHECK (priority IN ('low', 'HIGH', '1st')),
    title VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE TABLE ticket_event (
    id INTEGER PRIMARY KEY,
    ticket_id INTEGER NOT NULL REFERENCES ticket (id) ON DELETE CASCADE,
    "at" TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00'
);

CREATE TABLE session (key VARCHAR(64) NOT NULL PRIMARY KEY, data JSON, expires TIMESTAMP);
CREATE TABLE "Setting" ("Key" TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL DEFAULT '');
CREATE TABLE measurement (sensor INTEGER NOT NULL, taken DATE NOT NULL, value DOUBLE NOT NULL DEFAULT -1.5, PRIMARY KEY (taken, sensor));
CREATE TABLE import_job (number INTEGER PRIMARY KEY, amount NUMERIC, finished BOOL);

CREATE VIEW rich_customer AS SELECT id, email, balance FROM customer WHERE balance > 1000;
