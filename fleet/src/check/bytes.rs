//! What files hold: nothing of the other side, I6; and no panic in a log, I9.

use super::Findings;
use super::given::Run;
use anyhow::Context as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

/// What is read of a file at a time.
const PIECE: usize = 1 << 20;

pub(super) fn check(run: &Run, findings: &mut Findings) -> anyhow::Result<()> {
    for side in &run.sides {
        findings.looked("I6");
        let mut is_found = vec![false; side.always.len()];
        for path in &side.paths {
            walk(path, &mut |file, piece| {
                for never in &side.never {
                    if contains(piece, never.as_bytes()) {
                        findings
                            .add("I6", format!("{} holds {never}: {}", side.name, file.display()));
                    }
                }
                for (found, always) in is_found.iter_mut().zip(&side.always) {
                    *found |= contains(piece, always.as_bytes());
                }
            })?;
        }
        for (_, always) in is_found.iter().zip(&side.always).filter(|(found, _)| !**found) {
            findings.add(
                "I6",
                format!("{} does not hold {always}: the scan looks at the wrong files", side.name),
            );
        }
    }
    for log in &run.logs {
        walk(log, &mut |file, piece| {
            if contains(piece, b"panicked at") {
                findings.add("I9", format!("a panic in {}", file.display()));
            }
        })?;
    }
    Ok(())
}

/// Each piece of each file below, with the end of the one before it.
fn walk(path: &Path, look: &mut dyn FnMut(&Path, &[u8])) -> anyhow::Result<()> {
    // Files of a server that runs come and go.
    let Ok(about) = fs::symlink_metadata(path) else { return Ok(()) };
    if about.is_dir() {
        for entry in fs::read_dir(path).with_context(|| path.display().to_string())? {
            walk(&entry?.path(), look)?;
        }
        return Ok(());
    }
    if !about.is_file() {
        return Ok(());
    }
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    let mut bytes: Vec<u8> = Vec::with_capacity(PIECE + 64);
    loop {
        let kept = bytes.len().min(64);
        let cut = bytes.len() - kept;
        bytes.drain(..cut);
        let count = file.by_ref().take(u64::try_from(PIECE)?).read_to_end(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        look(path, &bytes);
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else { return false };
    let mut text = text;
    while let Some(at) = text.iter().position(|byte| byte == first) {
        text = text.get(at + 1..).unwrap_or_default();
        if text.starts_with(rest) {
            return true;
        }
    }
    false
}
