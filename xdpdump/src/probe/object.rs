//! The compiled kernel programs, and what is decided about them before they are loaded.

use object::{BinaryFormat, Object as _, ObjectSection as _, ObjectSymbol as _, endian::Endianness};

use super::Error;

/// `cargo xtask build-ebpf` makes it.
pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("XDPDUMP_EBPF_OBJECT"));

/// Where `value_size` is in the `bpf_map_def` that aya-ebpf puts into the section `maps`.
const VALUE_SIZE: u64 = 8;

/// The object with values of `value_len` bytes in the map called `map`; aya 0.14 can only change the number of entries.
pub(super) fn with_value_len(map: &'static str, value_len: usize) -> Result<Vec<u8>, Error> {
    let value_len = u32::try_from(value_len).map_err(|_| Error::Object(map))?;
    let at = definition(map).ok_or(Error::Object(map))?;
    let mut bytes = OBJECT.to_vec();
    let field = bytes.get_mut(at..at + size_of::<u32>()).ok_or(Error::Object(map))?;
    // An object of the other byte order would not load.
    field.copy_from_slice(&value_len.to_ne_bytes());
    Ok(bytes)
}

/// Where the object's file has the value size of a map.
fn definition(map: &str) -> Option<usize> {
    let file = object::File::parse(OBJECT).ok()?;
    let native = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    if file.format() != BinaryFormat::Elf || file.endianness() != native {
        return None;
    }
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(map))?;
    let section = file.section_by_index(symbol.section_index()?).ok()?;
    let (offset, _) = section.file_range()?;
    usize::try_from(offset + symbol.address() + VALUE_SIZE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_size_of_the_maps_values_changes() {
        let resized = with_value_len("RINGS", 0x0123_4567).unwrap();
        assert_eq!(resized.len(), OBJECT.len());
        let at = definition("RINGS").unwrap();
        assert_eq!(resized[at..at + 4], 0x0123_4567_u32.to_ne_bytes());
        assert_eq!(resized[..at], OBJECT[..at]);
        assert_eq!(resized[at + 4..], OBJECT[at + 4..]);
        let before = u32::from_ne_bytes(OBJECT[at..at + 4].try_into().unwrap());
        assert_eq!(before as usize, size_of::<xdpdump_ebpf::ring::Control>());
    }

    #[test]
    fn a_map_that_is_not_there_is_an_error() {
        assert!(matches!(with_value_len("NOPE", 1), Err(Error::Object("NOPE"))));
    }
}
