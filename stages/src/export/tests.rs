//! A model as NumPy reads it, byte by byte, and a file that is whole or not there.

use std::fs;
use std::io;
use std::sync::Arc;

use super::npz;
use super::publish::{Failed, publish};
use crate::context::{Context, PublishKey};
use crate::kernel::{Aligned, padded};
use crate::matrix::Ids;
use crate::model::{AlsModel, Factors};
use crate::names::{NameMap, Names};
use crate::storage::{Disk, FailAfter};

fn factors(ids: &[i32], rows: &[[f32; 3]]) -> Factors {
    let mut floats = Aligned::zeroed(rows.len() * padded(3));
    for (to, row) in floats.as_mut_slice().chunks_exact_mut(padded(3)).zip(rows) {
        to[..3].copy_from_slice(row);
    }
    Factors::from_padded(Ids::of(ids), 3, floats)
}

fn model() -> AlsModel {
    AlsModel::new(factors(&[0, 1], &[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), factors(&[7], &[[0.5, -1.0, 0.0]]))
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// The files of an archive by the local headers, and their names by the directory at its end.
fn unpack(archive: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
    let (mut files, mut at) = (Vec::new(), 0);
    while archive[at..].starts_with(b"PK\x03\x04") {
        let header = &archive[at..at + 30];
        let (sum, size, name) = (number(&header[14..18]), number(&header[22..26]), number(&header[26..28]));
        assert_eq!((number(&header[8..10]), number(&header[18..22]), number(&header[28..30])), (0, size, 0));
        let data = archive[at + 30 + name..][..size].to_vec();
        let mut crc = flate2::Crc::new();
        crc.update(&data);
        assert_eq!(crc.sum() as usize, sum);
        files.push((String::from_utf8(archive[at + 30..][..name].to_vec()).unwrap(), data));
        at += 30 + name + size;
    }
    let end = &archive[archive.len() - 22..];
    assert!(end.starts_with(b"PK\x05\x06"));
    assert_eq!((number(&end[10..12]), number(&end[16..20]), number(&end[12..16])), (files.len(), at, archive.len() - 22 - at));
    let (mut listed, mut offset) = (Vec::new(), 0);
    while archive[at..].starts_with(b"PK\x01\x02") {
        let entry = &archive[at..at + 46];
        let name = number(&entry[28..30]);
        listed.push(String::from_utf8(archive[at + 46..][..name].to_vec()).unwrap());
        assert_eq!(number(&entry[42..46]), offset, "where its local header is");
        offset += 30 + name + number(&entry[24..28]);
        at += 46 + name;
    }
    (files, listed)
}

/// The dictionary of an array's header, and its data.
fn array(file: &[u8]) -> (String, &[u8]) {
    assert!(file.starts_with(b"\x93NUMPY\x01\x00"));
    let length = number(&file[8..10]);
    assert_eq!((10 + length) % 64, 0, "the data are aligned");
    (String::from_utf8(file[10..10 + length].to_vec()).unwrap().trim_end().to_owned(), &file[10 + length..])
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn a_numpy_archive_holds_ids_factors_and_rank() {
    let mut map = NameMap::default();
    for name in ["ann", "Ünï"] {
        map.id_or_add(name).unwrap();
    }
    let names = Names { users: Some(Arc::new(map)), items: None };
    let mut archive = Vec::new();
    npz::write(&model(), &names, &mut archive).unwrap();
    let (files, listed) = unpack(&archive);
    assert_eq!(listed, ["user_ids.npy", "user_factors.npy", "item_ids.npy", "item_factors.npy", "rank.npy"]);
    assert!(files.iter().map(|(name, _)| name).eq(&listed));
    let read = |place: usize| array(&files[place].1);

    let (header, data) = read(0);
    assert_eq!(header, "{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }");
    let text: String = data.chunks_exact(4).map(|c| char::from_u32(number(c) as u32).unwrap()).collect();
    assert_eq!(text, "annÜnï");
    let (header, data) = read(1);
    assert_eq!(header, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    assert_eq!(floats(data), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(read(2), ("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }".to_owned(), &7_i32.to_le_bytes()[..]));
    assert_eq!(floats(read(3).1), [0.5, -1.0, 0.0]);
    assert_eq!(read(4), ("{'descr': '<i4', 'fortran_order': False, 'shape': (), }".to_owned(), &3_i32.to_le_bytes()[..]));

    let mut again = Vec::new();
    npz::write(&model(), &names, &mut again).unwrap();
    assert!(again == archive, "the same model gives the same bytes");
}

#[test]
fn whatever_write_fails_the_file_is_the_old_or_the_new_one_and_nothing_else_is_left() {
    for step in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        fs::write(&path, "old").unwrap();
        fs::write(folder.path().join(".x.csv.999999999-0.tmp"), "left by a process that died").unwrap();
        let storage = Arc::new(FailAfter::new(Disk, step, io::ErrorKind::StorageFull));
        let context = Context { storage, ..Context::plain(folder.path(), PublishKey::new("run", "export", 0)) };
        let result = publish(&path, &context, |file| Ok(file.write_all(b"new")?));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["x.csv"], "step {step}");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text == "new" || (text == "old" && result.is_err()), "step {step}: {text}");
        if result.is_ok() {
            assert!(step > 4);
            return;
        }
    }
}

#[test]
fn an_error_of_what_is_written_comes_out_as_itself() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context::plain(folder.path(), PublishKey::new("run", "export", 0));
    let failing = |_: &mut (dyn io::Write + Send)| Err(Failed::Stage(crate::StageError::cancelled()));
    assert_eq!(publish(&folder.path().join("x.csv"), &context, failing).unwrap_err(), crate::StageError::cancelled());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
