//! The journal through accidents: a kill in the middle of a line, a damaged one, another account.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::model::{Amount, Hold, Market, Moment, QuotaKey, QuotaPlace};
use crate::store::Fingerprint;

fn now() -> Timestamp {
    "2026-11-21T19:00:00Z".parse().unwrap()
}

fn journal(directory: &Path, account: &str) -> LeaseJournal {
    let fingerprints = BTreeMap::from([("aws".into(), Fingerprint::new(account))]);
    LeaseJournal::new(directory, fingerprints)
}

fn lease(number: u32) -> Lease {
    let place = QuotaPlace {
        region: Some("us-east-1".into()),
        key: QuotaKey::new("ec2", "L-417A185B"),
        container: None,
    };
    Lease {
        id: LeaseId::new(format!("lease-{number}")),
        backend: "aws".into(),
        unit: "us-east-1".into(),
        region: "us-east-1".into(),
        instance_type: "p5.48xlarge".into(),
        market: Market::OnDemand,
        count: 1,
        backed: true,
        created_at: Moment::from(now()),
        expires_at: Moment::from(now() + SignedDuration::from_mins(2)),
        commitment: None,
        holds: vec![Hold {
            place,
            amount: Amount::from(192u32),
        }],
    }
}

fn ids(journal: &LeaseJournal, at: Timestamp) -> Vec<String> {
    let leases = journal.load(at);
    leases
        .iter()
        .filter(|stored| stored.ended_at.is_none())
        .map(|stored| stored.lease.id.to_string())
        .collect()
}

#[test]
fn leases_are_read_back_as_they_were_last() {
    let folder = tempfile::tempdir().unwrap();
    let first = journal(folder.path(), "a");
    assert!(first.load(now()).is_empty());
    let request = RequestKey {
        caller: "dstack".to_owned(),
        key: "run-1".to_owned(),
        digest: "00".to_owned(),
    };
    first.put(&lease(1), Some(&request), now());
    first.put(&lease(2), None, now());
    first.put(&lease(3), None, now());
    let committed = Lease {
        expires_at: Moment::from(now() + SignedDuration::from_hours(1)),
        ..lease(2)
    };
    first.put(&committed, None, now());
    first.end(&lease(3).id, now());

    let second = journal(folder.path(), "a");
    let leases = second.load(now());
    let [one, two] = &leases[..] else {
        panic!("{leases:?}");
    };
    assert_eq!(one.request, Some(request));
    assert_eq!(one.lease, lease(1));
    assert_eq!(two.lease, committed);
    // It is written on, and what has expired meanwhile is gone.
    second.put(&lease(4), None, now());
    let third = journal(folder.path(), "a");
    assert_eq!(ids(&third, now()), ["lease-1", "lease-2", "lease-4"]);
    let later = now() + SignedDuration::from_mins(3);
    assert_eq!(ids(&third, later), ["lease-2"]);
}

#[test]
fn a_key_is_kept_for_ten_minutes_after_its_lease() {
    let folder = tempfile::tempdir().unwrap();
    let first = journal(folder.path(), "a");
    first.load(now());
    for number in 1..=2 {
        let request = RequestKey {
            caller: "dstack".to_owned(),
            key: format!("run-{number}"),
            digest: "00".to_owned(),
        };
        first.put(&lease(number), Some(&request), now());
    }
    first.put(&lease(3), None, now());
    first.end(&lease(1).id, now());
    let ended = |minutes| {
        let at = now() + SignedDuration::from_mins(minutes);
        let leases = journal(folder.path(), "a").load(at);
        let ended = leases.into_iter();
        ended
            .map(|stored| (stored.lease.id.to_string(), stored.ended_at))
            .collect::<Vec<_>>()
    };
    let one = ("lease-1".to_owned(), Some(now()));
    let expiry = now() + SignedDuration::from_mins(2);
    let two = ("lease-2".to_owned(), Some(expiry));
    // Reading writes the file anew, and what it keeps is there the next time.
    assert_eq!(ended(3), [one.clone(), two.clone()]);
    assert_eq!(ended(9), [one, two.clone()]);
    assert_eq!(ended(11), [two]);
    assert_eq!(ended(12), []);
}

#[test]
fn another_account_has_no_part_in_them() {
    let folder = tempfile::tempdir().unwrap();
    journal(folder.path(), "a").put(&lease(1), None, now());
    assert!(journal(folder.path(), "b").load(now()).is_empty());
}

#[test]
fn a_damaged_line_costs_itself_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let whole = journal(folder.path(), "a");
    for number in 1..=3 {
        whole.put(&lease(number), None, now());
    }
    let bytes = fs::read(&file).unwrap();
    let second_line = 1 + bytes.iter().position(|byte| *byte == b'\n').unwrap();
    // A kill in the middle of a line, wherever it comes.
    for end in [bytes.len() - 1, bytes.len() - 40, 2 * second_line + 3] {
        fs::write(&file, &bytes[..end]).unwrap();
        let torn = journal(folder.path(), "a");
        let expected = match end == bytes.len() - 1 {
            // Only the line's end is missing.
            true => &["lease-1", "lease-2", "lease-3"][..],
            false => &["lease-1", "lease-2"],
        };
        assert_eq!(ids(&torn, now()), expected, "{end}");
        torn.put(&lease(4), None, now());
        assert!(ids(&journal(folder.path(), "a"), now()).contains(&"lease-4".to_owned()));
    }
    // A bit that has flipped.
    let mut flipped = bytes.clone();
    flipped[second_line + 60] ^= 1;
    fs::write(&file, &flipped).unwrap();
    assert_eq!(
        ids(&journal(folder.path(), "a"), now()),
        ["lease-1", "lease-3"]
    );
    // A line of a later release.
    let later = r#"{"transferred":{"to":"somebody"}}"#;
    let sum = checksum(later.as_bytes());
    fs::write(
        &file,
        [format!("{sum:08x} {later}\n").as_bytes(), &bytes].concat(),
    )
    .unwrap();
    assert_eq!(ids(&journal(folder.path(), "a"), now()).len(), 3);
}

#[test]
fn it_does_not_grow_with_what_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path(), "a");
    for number in 0..10_000 {
        journal.put(&lease(number), None, now());
        if number > 10 {
            journal.end(&lease(number).id, now());
        }
    }
    let size = fs::metadata(folder.path().join(FILE)).unwrap().len();
    assert!(size < 2 * SMALL, "{size}");
    assert_eq!(ids(&journal, now()).len(), 11);
}

#[test]
fn a_directory_that_cannot_be_written_costs_nothing_but_the_next_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let journal = journal(&file, "a");
    journal.put(&lease(1), None, now());
    assert!(journal.load(now()).is_empty());
    fs::remove_file(&file).unwrap();
    journal.put(&lease(2), None, now());
    assert_eq!(ids(&journal, now()), ["lease-2"]);
}
