use super::{ABANDONED, FIRST, FileFault, Kept, checksum, find, previous, tidy, write};
use crate::snapshot::Snapshot;
use crate::snapshot::rows::Rows;
use crate::tenant::id::TenantId;
use crate::tenant::{NewTenant, Tenant};
use provisioning::ProfileId;
use region_router::{Place, Population, Region};
use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;
use tempfile::TempDir;
use time::macros::datetime;

fn kept(generation: i64) -> Kept {
    Kept {
        origin: "here".to_owned(),
        generation,
        accepted_at: 0,
        pepper: None,
        pepper_check: "check".to_owned(),
        rows: Rows::default(),
    }
}

fn generation(path: &Path) -> i64 {
    find(path, |_| true).unwrap_or_else(|(newest, _)| panic!("{newest}")).kept.generation
}

/// What is said of the newest and of the one before it.
fn faults(path: &Path) -> (String, String) {
    let (newest, previous) = find(path, |_| true).err().unwrap();
    (newest.to_string(), previous.to_string())
}

#[test]
fn the_newest_is_read_and_the_one_before_it_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    assert_eq!(faults(&path), ("is not there".to_owned(), "is not there".to_owned()));
    for number in 1..=3 {
        write(&path, &kept(number), true).unwrap();
        assert_eq!(generation(&path), number);
    }
    assert_eq!(generation(&previous(&path)), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else lies about");
}

#[test]
fn a_file_cut_off_anywhere_is_not_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    write(&path, &kept(1), true).unwrap();
    write(&path, &kept(2), true).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let found = find(&path, |_| true).unwrap_or_else(|_| panic!("{length} bytes"));
        assert_eq!(found.kept.generation, 1, "{length} bytes");
        assert!(found.newest.is_some());
    }
}

#[test]
fn a_byte_that_was_changed_is_noticed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    write(&path, &kept(1), true).unwrap();
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(find(&path, |_| true).is_err(), "byte {place}");
    }
}

#[test]
fn a_bad_newest_does_not_take_the_place_of_a_good_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    write(&path, &kept(1), true).unwrap();
    write(&path, &kept(2), true).unwrap();
    fs::write(&path, "torn").unwrap();
    assert_eq!(find(&path, |_| true).unwrap_or_else(|_| panic!()).kept.generation, 1);

    write(&path, &kept(3), false).unwrap();

    assert_eq!((generation(&path), generation(&previous(&path))), (3, 1));
}

#[test]
fn a_file_of_another_version_or_pepper_is_told_apart() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    fs::write(&path, "muster registry snapshot, version 3\n0\n{}").unwrap();
    assert_eq!(faults(&path).0, "is no snapshot of this version");
    write(&path, &kept(1), false).unwrap();
    let (fault, _) = find(&path, |kept| kept.pepper_check == "other").err().unwrap();
    assert!(matches!(fault, FileFault::Pepper), "{fault}");
}

#[test]
fn what_a_killed_process_left_is_taken_away() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    let (old, new) = (folder.path().join("snapshot.new-1"), folder.path().join("snapshot.new-2"));
    fs::write(&new, "").unwrap();
    File::create(&old).unwrap().set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
    tidy(&path).unwrap();
    assert!(!old.exists() && new.exists());
}

#[test]
fn a_file_of_before_tenants_moved_is_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    let place = Place { region: Region::parse("eu").unwrap(), population: Population::Platform };
    let new = NewTenant::new("acme", "Acme Ltd", place, ProfileId::Open);
    let made = Tenant::made(TenantId::random(), &new, datetime!(2026-11-22 10:00 UTC));
    let snapshot = Snapshot::default().with(7, vec![made.clone()], Vec::new());
    let rows = Rows::of(&snapshot).unwrap();
    let mut json = serde_json::to_value(Kept { rows, ..kept(7) }).unwrap();
    let row = json["rows"]["tenants"][0].as_object_mut().unwrap();
    assert!(row.remove("moving").is_some() && row.remove("move_lease").is_some());
    let rows = json.to_string();
    let sum = checksum(FIRST, rows.as_bytes());
    fs::write(&path, format!("{FIRST}\n{sum}\n{rows}")).unwrap();

    let found = find(&path, |_| true).unwrap_or_else(|(newest, _)| panic!("{newest}"));
    let read = found.kept.into_snapshot();
    assert_eq!(read.tenant(&made.id).unwrap().as_ref(), &made);
    fs::write(&path, format!("{FIRST}\n{}\n{rows}", checksum("", rows.as_bytes()))).unwrap();
    assert_eq!(faults(&path).0, "is damaged: its checksum does not fit");
}
