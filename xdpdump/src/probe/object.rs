//! The compiled kernel programs: sized, given their constants, and connected to maps in the kernel.

use std::{
    collections::{HashMap, HashSet},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use aya_obj::{Map, Object, generated::bpf_insn};

use super::{Error, RingMemory, bpf};
use crate::cpus;

/// `cargo xtask build-ebpf` makes it. Aligned, because its ELF structures are read where they lie.
static OBJECT: &Aligned<[u8]> = &Aligned { bytes: *include_bytes!(env!("XDPDUMP_EBPF_OBJECT")), align: [] };

#[repr(C)]
struct Aligned<T: ?Sized> {
    align: [u64; 0],
    bytes: T,
}

/// The programs, ready to be loaded, and their maps, in the kernel.
pub struct Image {
    object: Object,
    maps: HashMap<String, OwnedFd>,
}

impl Image {
    /// Creates the maps, with `snap_len` as the most bytes to capture of a frame and `memory` for the mapped rings.
    pub fn load(snap_len: u32, memory: Option<RingMemory>) -> Result<Self, Error> {
        let mut object = Object::parse(&OBJECT.bytes).map_err(Error::object)?;
        let ring_mask = memory.map_or(0, |memory| (memory.ring_len - 1) as u32);
        let constants = [("SNAP_LEN", snap_len.to_ne_bytes()), ("RING_MASK", ring_mask.to_ne_bytes())];
        let constants = constants.iter().map(|(name, value)| (*name, (value.as_slice(), true))).collect();
        object.patch_map_data(constants).map_err(Error::object)?;

        let possible = cpus::possible().map_err(Error::Cpus)?;
        let mut definitions = std::mem::take(&mut object.maps);
        let mut maps = HashMap::new();
        for (name, definition) in &mut definitions {
            match (name.as_str(), memory) {
                ("EVENTS", _) => definition.set_max_entries(possible.last().map_or(1, |last| last + 1)),
                ("RINGS", Some(memory)) => {
                    definition.set_max_entries(memory.cpus);
                    definition.set_value_size(u32::try_from(memory.value_len).unwrap_or(u32::MAX));
                }
                _ => {}
            }
            maps.insert(name.clone(), create(name, definition)?);
        }
        connect(&mut object, &definitions, &maps)?;
        Ok(Self { object, maps })
    }

    /// A map by its name in the kernel side's source.
    pub fn map(&self, name: &'static str) -> Result<BorrowedFd<'_>, Error> {
        self.maps.get(name).map(AsFd::as_fd).ok_or(Error::Object(name))
    }

    /// The instructions of a program by the name of its function.
    pub fn program(&self, name: &'static str) -> Result<&[bpf_insn], Error> {
        self.object
            .programs
            .get(name)
            .and_then(|program| self.object.functions.get(&program.function_key()))
            .map(|function| function.instructions.as_slice())
            .ok_or(Error::Object(name))
    }
}

/// A map in the kernel; one for constants has them, for good.
fn create(name: &str, definition: &Map) -> Result<OwnedFd, Error> {
    let map = bpf::create_map(name, definition).map_err(Error::map)?;
    if !definition.data().is_empty() {
        // SAFETY: the ELF layer makes the values of such a map as long as the section with its data.
        unsafe { bpf::set_constants(map.as_fd(), definition.data()) }.map_err(Error::map)?;
    }
    Ok(map)
}

/// Puts the maps' descriptors into the instructions.
fn connect(
    object: &mut Object,
    definitions: &HashMap<String, Map>,
    maps: &HashMap<String, OwnedFd>,
) -> Result<(), Error> {
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let maps = definitions
        .iter()
        .filter_map(|(name, definition)| Some((name.as_str(), maps.get(name)?.as_raw_fd(), definition)));
    object.relocate_maps(maps, &sections).map_err(Error::object)?;
    object.relocate_calls(&sections).map_err(Error::object)
}
