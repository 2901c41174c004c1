CREATE TABLE country (
    code VARCHAR(2) PRIMARY KEY COMMENT 'It''s two letters \\ no more', name VARCHAR(100) NOT NULL UNIQUE, area DOUBLE
) COMMENT='A country: by its "code", as in ISO 3166';

CREATE TABLE region (
    country_code VARCHAR(2) NOT NULL,
    code VARCHAR(10) NOT NULL,
    parent_code VARCHAR(10),
    PRIMARY KEY (country_code, code),
    FOREIGN KEY (country_code) REFERENCES country (code) ON UPDATE CASCADE,
    FOREIGN KEY (country_code, parent_code) REFERENCES region (country_code, code)
);

CREATE TABLE customer (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    email VARCHAR(120) NOT NULL,
    name LONGTEXT,
    vip BOOLEAN NOT NULL DEFAULT FALSE,
    joined DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    born DATE,
    mood ENUM('calm', 'in a hurry', 'it''s late') NOT NULL DEFAULT 'calm',
    balance DECIMAL(12, 2) NOT NULL DEFAULT 0,
    referrer_id BIGINT,
    CONSTRAINT email_is_one UNIQUE (email),
    CONSTRAINT `balance is no debt` CHECK (balance >= 0 AND (name <> ')' OR name IS NULL)),
    FOREIGN KEY (referrer_id) REFERENCES customer (id) ON DELETE SET NULL
);
CREATE INDEX customer_names ON customer (name(20) DESC, born);
CREATE UNIQUE INDEX customer_beginnings ON customer (name(40));
CREATE FULLTEXT INDEX customer_words ON customer (name);
CREATE INDEX customer_joined ON customer (joined DESC, vip);

CREATE TABLE address (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    customer_id BIGINT NOT NULL,
    country_code VARCHAR(2) DEFAULT 'DE',
    line TEXT NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE,
    FOREIGN KEY (country_code) REFERENCES country (code) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE INDEX ix_address_customer_id ON address (customer_id);

CREATE TABLE shipment (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    from_id BIGINT NOT NULL,
    to_id BIGINT NOT NULL,
    return_to BIGINT,
    FOREIGN KEY (from_id) REFERENCES address (id),
    FOREIGN KEY (to_id) REFERENCES address (id),
    FOREIGN KEY (return_to) REFERENCES address (id) ON DELETE SET NULL,
    CHECK (from_id <> to_id)
);

CREATE TABLE product (
    sku VARCHAR(20) NOT NULL,
    version SMALLINT UNSIGNED NOT NULL,
    title VARCHAR(255) NOT NULL,
    price DECIMAL(10, 2) NOT NULL,
    quantity MEDIUMINT NOT NULL DEFAULT (1 + 1),
    worth DECIMAL(14, 2) GENERATED ALWAYS AS (price * quantity) STORED COMMENT 'What lies in the store',
    shouted VARCHAR(255) GENERATED ALWAYS AS (ucase(title)) VIRTUAL,
    details JSON NOT NULL DEFAULT '{"a": "it''s"}',
    PRIMARY KEY (sku, version)
);
CREATE INDEX product_worth ON product (worth DESC, version);

CREATE TABLE tag (id UUID PRIMARY KEY DEFAULT uuid(), name VARCHAR(40) NOT NULL UNIQUE);

CREATE TABLE product_tag (
    sku VARCHAR(20) NOT NULL,
    version SMALLINT UNSIGNED NOT NULL,
    tag_id UUID NOT NULL,
    PRIMARY KEY (sku, version, tag_id),
    FOREIGN KEY (tag_id) REFERENCES tag (id) ON DELETE CASCADE,
    FOREIGN KEY (sku, version) REFERENCES product (sku, version) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE purchase (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    customer_id BIGINT NOT NULL,
    paid_by_id BIGINT,
    at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (customer_id, at),
    FOREIGN KEY (customer_id) REFERENCES customer (id),
    FOREIGN KEY (paid_by_id) REFERENCES customer (id) ON DELETE SET NULL
);

CREATE TABLE purchase_line (
    purchase_id BIGINT NOT NULL,
    line TINYINT UNSIGNED NOT NULL,
    sku VARCHAR(20) NOT NULL,
    version SMALLINT UNSIGNED NOT NULL,
    count INTEGER UNSIGNED NOT NULL DEFAULT 1,
    PRIMARY KEY (purchase_id, line),
    CONSTRAINT some_of_it CHECK (count > 0),
    FOREIGN KEY (purchase_id) REFERENCES purchase (id) ON DELETE CASCADE,
    CONSTRAINT fk_of_two FOREIGN KEY (sku, version) REFERENCES product (sku, version)
);

CREATE TABLE invoice (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    purchase_id BIGINT NOT NULL UNIQUE,
    number VARCHAR(20) NOT NULL,
    issued DATE NOT NULL DEFAULT curdate(),
    FOREIGN KEY (purchase_id) REFERENCES purchase (id)
);

CREATE TABLE customer_profile (
    customer_id BIGINT PRIMARY KEY,
    picture LONGBLOB,
    thumbnail VARBINARY(1000),
    aboutMe VARCHAR(500) DEFAULT 'nothing',
    FOREIGN KEY (customer_id) REFERENCES customer (id) ON DELETE CASCADE
);

CREATE TABLE friendship (
    one_id BIGINT NOT NULL,
    other_id BIGINT NOT NULL,
    since DATE NOT NULL,
    PRIMARY KEY (one_id, other_id),
    FOREIGN KEY (one_id) REFERENCES customer (id) ON DELETE CASCADE,
    FOREIGN KEY (other_id) REFERENCES customer (id) ON DELETE CASCADE
);

CREATE TABLE department (id INTEGER AUTO_INCREMENT PRIMARY KEY, name TEXT NOT NULL, head_id INTEGER UNIQUE);
CREATE TABLE employee (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    department_id INTEGER NOT NULL,
    manager_id INTEGER,
    hours FLOAT,
    starts TIME(6),
    FOREIGN KEY (department_id) REFERENCES department (id),
    FOREIGN KEY (manager_id) REFERENCES employee (id)
);
ALTER TABLE department ADD CONSTRAINT department_head FOREIGN KEY (head_id) REFERENCES employee (id);

CREATE TABLE `order` (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    `type` TEXT NOT NULL,
    `select` INTEGER,
    `1st` INTEGER,
    `Mixed Case` INTEGER,
    `query` TEXT,
    `self` BIGINT,
    `größe` INTEGER,
    `a``quote` INTEGER,
    FOREIGN KEY (`self`) REFERENCES `order` (id)
);
CREATE INDEX `order by` ON `order` (`select`, `Mixed Case`);

CREATE TABLE ticket (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    priority ENUM('low', 'HIGH', '1st') NOT NULL DEFAULT 'low',
    mood ENUM('calm', 'in a hurry'),
    weight TINYINT NOT NULL DEFAULT -1,
    title VARCHAR(200) NOT NULL DEFAULT ''
);

CREATE TABLE ticket_event (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    ticket_id BIGINT UNSIGNED NOT NULL,
    at DATETIME NOT NULL DEFAULT '2020-01-01 00:00:00',
    FOREIGN KEY (ticket_id) REFERENCES ticket (id) ON DELETE CASCADE
);

CREATE TABLE session (`key` VARCHAR(64) PRIMARY KEY, data JSON, expires DATETIME);
CREATE TABLE Setting (`Key` VARCHAR(100) PRIMARY KEY, value VARCHAR(1000) NOT NULL DEFAULT '');
CREATE TABLE measurement (sensor INTEGER NOT NULL, taken DATE NOT NULL, value DOUBLE NOT NULL DEFAULT -1.5, PRIMARY KEY (taken, sensor));
CREATE TABLE import_job (number INTEGER PRIMARY KEY, amount DECIMAL(65, 30), finished BOOLEAN);

CREATE SEQUENCE receipt_number START WITH 1000 INCREMENT BY 10;
CREATE SEQUENCE `plain``number`;
CREATE TABLE receipt (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    number BIGINT NOT NULL DEFAULT nextval(receipt_number),
    copy_of BIGINT NOT NULL DEFAULT (next value for receipt_number),
    line INTEGER NOT NULL DEFAULT nextval(`plain``number`)
);
CREATE TABLE host (id UUID PRIMARY KEY, address INET6 NOT NULL, old INET4, owner UUID);
CREATE TABLE host_name (address INET4 PRIMARY KEY, name VARCHAR(80) NOT NULL);

CREATE VIEW rich_customer AS SELECT id, email, balance FROM customer WHERE balance > 1000;
