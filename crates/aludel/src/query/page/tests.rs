//! The sequences of Flask-SQLAlchemy's own tests and documentation.

use super::*;
use crate::error::{ErrorKind, Result};

/// The page of a table of `total` rows, as `paginate` makes it.
fn paginate(total: u64, asked: PageQuery) -> Result<Page<u64>> {
    let window = asked.window()?;
    let items: Vec<u64> = (1..=total).skip(window.offset() as usize).take(window.limit() as usize).collect();
    window.found(items.len())?;
    let total = if window.count { Some(total) } else { window.total };
    Ok(Page::new(items, total, &window))
}

fn is_404(result: Result<Page<u64>>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::NotFound && error.is_404())
}

fn asked(query: &str) -> Result<Page<u64>> {
    paginate(250, PageQuery::from_query(query)?)
}

#[test]
fn nothing_asked_is_page_1_with_20_items() {
    let page = paginate(250, PageQuery::default()).unwrap();
    assert_eq!((page.page, page.per_page, page.len(), page.total, page.pages), (1, 20, 20, Some(250), 13));
    let page = asked("").unwrap();
    assert_eq!((page.page, page.per_page), (1, 20));
}

#[test]
fn the_query_string_says_page_and_size() {
    let page = asked("page=2&per_page=10").unwrap();
    assert_eq!((page.page, page.per_page), (2, 10));
    let page = asked("q=x&per_page=10&sort").unwrap();
    assert_eq!((page.page, page.per_page), (1, 10));
}

#[test]
fn of_a_repeated_key_the_first_counts() {
    assert_eq!(asked("page=2&page=3").unwrap().page, 2);
    assert!(is_404(asked("page=x&page=3")));
}

#[test]
fn white_space_around_a_number_is_accepted() {
    assert_eq!(asked("page=%202%20").unwrap().page, 2);
    assert_eq!(asked("page=+2+").unwrap().page, 2);
    assert_eq!(asked("%70age=%32").unwrap().page, 2);
}

#[test]
fn what_is_no_whole_number_above_0_is_404() {
    for query in [
        "page=abc",
        "per_page=abc",
        "page=0",
        "per_page=0",
        "page=-1",
        "per_page=-1",
        "page=",
        "page",
        "page=2.0",
        "page=1%",
        "page=%C3",
        "page=%+1",
        "page=%3",
        "page=é",
        "page=1é",
        "per_page=%ff",
    ] {
        assert!(is_404(asked(query)), "{query}");
    }
    assert!(is_404(paginate(250, PageQuery::new(0))));
    assert!(is_404(paginate(250, PageQuery::new(1).per_page(0))));
}

#[test]
fn a_number_beyond_64_bits_is_a_page_past_the_end() {
    assert!(is_404(asked("page=99999999999999999999")));
    assert_eq!(asked("per_page=99999999999999999999").unwrap().per_page, 100);
    assert!(is_404(paginate(5, PageQuery::new(u64::MAX).per_page(u64::MAX).max_per_page(None))));
}

#[test]
fn the_size_is_limited_and_100_is_the_default_limit() {
    assert_eq!(paginate(250, PageQuery::new(1).per_page(100).max_per_page(50)).unwrap().per_page, 50);
    assert_eq!(paginate(250, PageQuery::new(1).per_page(200)).unwrap().per_page, 100);
    assert_eq!(paginate(250, PageQuery::new(1).per_page(200).max_per_page(None)).unwrap().len(), 200);
}

#[test]
fn the_limit_comes_before_the_range_check() {
    assert!(is_404(paginate(250, PageQuery::new(1).max_per_page(0))));
}

#[test]
fn an_empty_page_is_404_unless_it_is_the_first() {
    assert!(is_404(paginate(250, PageQuery::new(99))));
    assert!(is_404(paginate(0, PageQuery::new(2))));
    assert_eq!(paginate(0, PageQuery::new(1)).unwrap().len(), 0);
}

#[test]
fn without_error_out_the_defaults_stand_in() {
    let page = paginate(250, PageQuery::from_query_lenient("page=abc&per_page=abc")).unwrap();
    assert_eq!((page.page, page.per_page), (1, 20));
    let page = paginate(250, PageQuery::new(0).per_page(0).error_out(false)).unwrap();
    assert_eq!((page.page, page.per_page), (1, 20));
    let page = paginate(250, PageQuery::from_query_lenient("page=2&per_page=-1")).unwrap();
    assert_eq!((page.page, page.per_page), (2, 20));
    // the stand-in is not limited again
    let page = paginate(250, PageQuery::new(1).per_page(0).max_per_page(10).error_out(false)).unwrap();
    assert_eq!(page.per_page, 20);
}

#[test]
fn past_the_end_without_error_out_is_empty_and_keeps_the_total() {
    let page = paginate(250, PageQuery::new(99).error_out(false)).unwrap();
    assert_eq!((page.len(), page.total, page.has_next, page.has_prev), (0, Some(250), false, true));
    assert_eq!((page.first, page.last), (0, 0));
    assert_eq!(numbers(&page), "1 2 -");
}

#[test]
fn uncounted_there_is_no_total_and_no_next_page() {
    let page = paginate(250, PageQuery::new(1).count(false)).unwrap();
    assert_eq!((page.total, page.pages, page.has_next, page.next_num), (None, 0, false, None));
    assert_eq!(numbers(&page), "");
    let next = paginate(250, page.next_query()).unwrap();
    assert_eq!((next.page, next.first, next.total), (2, 21, None));
}

#[test]
fn the_first_and_the_last_page_end_the_row() {
    let page = paginate(150, PageQuery::new(1).per_page(10)).unwrap();
    assert_eq!(
        (page.pages, page.has_prev, page.prev_num, page.has_next, page.next_num),
        (15, false, None, true, Some(2))
    );
    let page = paginate(150, PageQuery::new(15).per_page(10)).unwrap();
    assert_eq!((page.has_prev, page.prev_num, page.has_next, page.next_num), (true, Some(14), false, None));
}

#[test]
fn items_are_numbered_from_1_on() {
    let page = paginate(145, PageQuery::new(1).per_page(10)).unwrap();
    assert_eq!((page.first, page.last), (1, 10));
    let page = paginate(145, PageQuery::new(15).per_page(10)).unwrap();
    assert_eq!((page.first, page.last), (141, 145));
    let page = paginate(0, PageQuery::default()).unwrap();
    assert_eq!((page.first, page.last, page.pages, page.has_next, page.has_prev), (0, 0, 0, false, false));
}

#[test]
fn the_next_page_keeps_size_limit_and_total() {
    let page = paginate(250, PageQuery::new(1).per_page(110).max_per_page(250)).unwrap();
    let next = page.next_query();
    assert!(!next.window().unwrap().count);
    let next = paginate(0, next).unwrap();
    assert_eq!((next.page, next.per_page, next.total), (2, 110, Some(250)));
    // and so does the one before, whose limit upstream forgets
    let prev = paginate(250, next.prev_query()).unwrap();
    assert_eq!((prev.page, prev.per_page, prev.max_per_page, prev.total), (1, 110, Some(250), Some(250)));
}

#[test]
fn before_the_first_page_is_the_first_and_after_the_last_an_empty_one() {
    let page = paginate(30, PageQuery::new(1)).unwrap();
    assert_eq!(paginate(30, page.prev_query()).unwrap(), page);
    let last = paginate(30, page.next_query()).unwrap();
    let after = paginate(30, last.next_query()).unwrap();
    assert_eq!((after.page, after.len()), (3, 0));
}

#[test]
fn map_changes_the_items_alone() {
    let page = paginate(30, PageQuery::new(2)).unwrap();
    let texts = page.clone().map(|n| n.to_string());
    assert_eq!(texts.items.first().map(String::as_str), Some("21"));
    assert_eq!(texts.map(|text| text.parse::<u64>().unwrap()), page);
}

#[test]
fn a_page_iterates_over_its_items() {
    let page = paginate(3, PageQuery::default()).unwrap();
    assert_eq!((&page).into_iter().sum::<u64>(), 6);
    assert_eq!(page.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_page_serializes_flat() {
    let page = paginate(3, PageQuery::new(2).per_page(2)).unwrap();
    assert_eq!(
        serde_json::to_value(&page).unwrap(),
        serde_json::json!({
            "items": [3], "page": 2, "per_page": 2, "total": 3, "pages": 2, "has_next": false, "has_prev": true,
            "next_num": null, "prev_num": 1, "first": 3, "last": 3,
        })
    );
}

/// The row of links, `-` for a gap.
fn numbers_with<T>(page: &Page<T>, edges: IterPages) -> String {
    let texts: Vec<String> =
        page.iter_pages(edges).map(|number| number.map_or("-".into(), |number| number.to_string())).collect();
    texts.join(" ")
}

fn numbers<T>(page: &Page<T>) -> String {
    numbers_with(page, IterPages::default())
}

fn row(page: u64, total: u64) -> String {
    numbers(&paginate(total, PageQuery::new(page).per_page(10)).unwrap())
}

#[test]
fn page_numbers_of_15_pages() {
    let expected = [
        "1 2 3 4 5 - 14 15",
        "1 2 3 4 5 6 - 14 15",
        "1 2 3 4 5 6 7 - 14 15",
        "1 2 3 4 5 6 7 8 - 14 15",
        "1 2 3 4 5 6 7 8 9 - 14 15",
        "1 2 - 4 5 6 7 8 9 10 - 14 15",
        "1 2 - 5 6 7 8 9 10 11 - 14 15",
        "1 2 - 6 7 8 9 10 11 12 - 14 15",
        "1 2 - 7 8 9 10 11 12 13 14 15",
        "1 2 - 8 9 10 11 12 13 14 15",
        "1 2 - 9 10 11 12 13 14 15",
        "1 2 - 10 11 12 13 14 15",
        "1 2 - 11 12 13 14 15",
        "1 2 - 12 13 14 15",
        "1 2 - 13 14 15",
    ];
    for (number, expected) in (1..).zip(expected) {
        assert_eq!(row(number, 150), expected, "page {number}");
    }
}

#[test]
fn few_pages_are_all_shown() {
    for page in 1..=4 {
        assert_eq!(row(page, 40), "1 2 3 4");
    }
    assert_eq!(row(1, 0), "");
}

#[test]
fn page_7_of_20_has_a_gap_on_both_sides() {
    assert_eq!(row(7, 200), "1 2 - 5 6 7 8 9 10 11 - 19 20");
}

#[test]
fn edges_and_surroundings_can_be_chosen() {
    let page = paginate(130, PageQuery::new(6).per_page(10)).unwrap();
    let edges = |left_edge, left_current, right_current, right_edge| {
        numbers_with(&page, IterPages { left_edge, left_current, right_current, right_edge })
    };
    assert_eq!(edges(0, 2, 4, 0), "- 4 5 6 7 8 9 10 -");
    assert_eq!(edges(1, 1, 1, 1), "1 - 5 6 7 - 13");
    assert_eq!(edges(0, 0, 0, 0), "- 6 -");
    assert_eq!(edges(u64::MAX, u64::MAX, u64::MAX, u64::MAX), "1 2 3 4 5 6 7 8 9 10 11 12 13");
}
