"""The five models, as `src/models.rs` has them too."""

from typing import Optional

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


Label = String(40)

article_tag = Table(
    "article_tag",
    Base.metadata,
    Column("article_id", ForeignKey("article.id"), primary_key=True),
    Column("tag_label", ForeignKey("tag.label"), primary_key=True),
)


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(Label)
    name: Mapped[str] = mapped_column(Label, unique=True)
    n: Mapped[Optional[int]]
    articles: Mapped[list["Article"]] = relationship(back_populates="author")
    comments: Mapped[list["Comment"]] = relationship(back_populates="writer", passive_deletes=True)


class Category(Base):
    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(Label)
    name: Mapped[str] = mapped_column(Label)
    n: Mapped[Optional[int]]
    parent_id: Mapped[Optional[int]] = mapped_column(ForeignKey("category.id"))
    parent: Mapped[Optional["Category"]] = relationship(back_populates="children", remote_side=[id])
    children: Mapped[list["Category"]] = relationship(back_populates="parent", cascade="all")
    articles: Mapped[list["Article"]] = relationship(back_populates="category", cascade="all")


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(Label)
    name: Mapped[str] = mapped_column(Label)
    n: Mapped[Optional[int]]
    version: Mapped[int] = mapped_column()
    author_id: Mapped[Optional[int]] = mapped_column(ForeignKey("person.id"))
    category_id: Mapped[Optional[int]] = mapped_column(ForeignKey("category.id"))
    author: Mapped[Optional[Person]] = relationship(back_populates="articles")
    category: Mapped[Optional[Category]] = relationship(back_populates="articles")
    comments: Mapped[list["Comment"]] = relationship(back_populates="article", cascade="all, delete-orphan")
    tags: Mapped[list["Tag"]] = relationship(secondary=article_tag, back_populates="articles")
    __mapper_args__ = {"version_id_col": version}


class Comment(Base):
    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(Label)
    name: Mapped[str] = mapped_column(Label)
    n: Mapped[Optional[int]]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    writer_id: Mapped[Optional[int]] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    article: Mapped[Article] = relationship(back_populates="comments")
    writer: Mapped[Optional[Person]] = relationship(back_populates="comments")


class Tag(Base):
    __tablename__ = "tag"
    label: Mapped[str] = mapped_column(Label, primary_key=True)
    name: Mapped[str] = mapped_column(Label)
    n: Mapped[Optional[int]]
    articles: Mapped[list[Article]] = relationship(secondary=article_tag, back_populates="tags")


KINDS = {"person": Person, "category": Category, "article": Article, "comment": Comment, "tag": Tag}
