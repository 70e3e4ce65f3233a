//! What of a table is shown where it does not fit.

use proptest::prelude::*;

use super::*;

const COLUMNS: [Column; 4] = [
    Column::names("PLACE", 0, 6),
    Column::numbers("PRICE", 2),
    Column::names("TYPE", 1, 6),
    Column::words("AVAILABILITY", 1),
];

fn table(rows: &[(&str, &str, &str, &str, &str)]) -> Table {
    let mut table = Table::new(&COLUMNS, "REASON");
    for (place, price, kind, availability, reason) in rows {
        let cells = [place, price, kind, availability].map(Cell::from);
        table.add(cells, reason, *availability != "available");
    }
    table
}

#[test]
fn what_does_not_fit_moves_below_then_goes_then_is_cut() {
    let table = table(&[
        (
            "aws/us-east-1",
            "55.0400",
            "p5.48xlarge",
            "no_quota",
            "needs 192 vCPU",
        ),
        (
            "nebius/eu-north1",
            "9.5",
            "東京東京東京東京",
            "available",
            "fits twice",
        ),
    ]);
    let lines = |width| table.render(&Screen::plain(width));
    assert_eq!(
        lines(None),
        "PLACE               PRICE  TYPE              AVAILABILITY  REASON\n\
         aws/us-east-1     55.0400  p5.48xlarge       no_quota      needs 192 vCPU\n\
         nebius/eu-north1      9.5  東京東京東京東京  available     fits twice\n"
    );
    assert_eq!(lines(Some(200)), lines(None));
    assert_eq!(
        lines(Some(60)),
        "PLACE               PRICE  TYPE              AVAILABILITY\n\
         aws/us-east-1     55.0400  p5.48xlarge       no_quota\n    \
             needs 192 vCPU\n\
         nebius/eu-north1      9.5  東京東京東京東京  available\n"
    );
    assert_eq!(
        lines(Some(34)),
        "PLACE      TYPE       AVAILABILITY\n\
         aws/us-e…  p5.48xla…  no_quota\n    \
             needs 192 vCPU\n\
         nebius/e…  東京東京…  available\n\
         not shown: PRICE; `--wide` shows\n\
         all\n"
    );
}

#[test]
fn columns_in_which_nothing_stands_are_not_there() {
    let table = table(&[("aws/us-east-1", "", "p5.48xlarge", "", "")]);
    assert_eq!(
        table.render(&Screen::plain(None)),
        "PLACE          TYPE\naws/us-east-1  p5.48xlarge\n"
    );
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_screen(
        rows in proptest::collection::vec(proptest::array::uniform5("[a-z東京/ .-]{0,20}"), 1..5),
        width in 12_usize..120,
    ) {
        let each: Vec<_> = rows.iter().map(|[a, b, c, d, e]| (&**a, &**b, &**c, &**d, &**e)).collect();
        let text = table(&each).render(&Screen::plain(Some(width)));
        for line in text.lines() {
            prop_assert!(line.width() <= width, "{line:?} is wider than {width}");
        }
    }

    #[test]
    fn all_of_it_is_shown_where_all_is_wanted(
        rows in proptest::collection::vec(proptest::array::uniform5("[a-z東京/.-]{1,20}"), 1..5),
    ) {
        let each: Vec<_> = rows.iter().map(|[a, b, c, d, e]| (&**a, &**b, &**c, &**d, &**e)).collect();
        let text = table(&each).render(&Screen::plain(None));
        for (line, cells) in text.lines().skip(1).zip(&rows) {
            let words: Vec<_> = line.split_whitespace().collect();
            prop_assert_eq!(&words, &cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
