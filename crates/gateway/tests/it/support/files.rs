//! What is left in files.

use std::path::Path;

/// Every byte of the files in a folder and below it, and their names; but not of those whose names begin so.
pub(crate) fn every_byte_but(folder: &Path, but: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        bytes.extend(name.as_encoded_bytes());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            bytes.extend(every_byte_but(&entry.path(), but));
        } else if kind.is_file() && !but.is_some_and(|but| name.to_string_lossy().starts_with(but))
        {
            // A server that is running may take a file away meanwhile.
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    bytes
}

/// Every byte of every file in a folder and below it, and their names.
pub(crate) fn every_byte(folder: &Path) -> Vec<u8> {
    every_byte_but(folder, None)
}
