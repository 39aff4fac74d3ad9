//! The compiled kernel programs, and the maps that they share with user space.

use std::{
    collections::HashSet,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use aya::maps::{Array, IterableMap as _, MapData};
use aya_obj::{
    Map, Object,
    generated::{BPF_ADD, BPF_ATOMIC, BPF_DW, BPF_FETCH, BPF_JA, BPF_JMP, BPF_STX, bpf_insn},
};
use xdpdump_ebpf::{CpuCounters, ring::block::detail};

use super::{Error, Functions, RingLayout};
use crate::{cpus, packet::Detail, probe::kernel, sys::bpf};

/// The object that `cargo xtask build-ebpf` builds. It is aligned because its ELF structures are read in place.
static OBJECT: &Aligned<[u8]> = &Aligned { bytes: *include_bytes!(env!("XDPDUMP_EBPF_OBJECT")), align: [] };

#[repr(C)]
struct Aligned<T: ?Sized> {
    align: [u64; 0],
    bytes: T,
}

/// The section with the programs' constants, which is also the name of the map that contains them.
const CONSTANTS: &str = ".rodata";

/// Whether every CPU sees the stores of another one in their order.
const STORES_IN_ORDER: bool = cfg!(any(target_arch = "x86", target_arch = "x86_64", target_arch = "s390x"));

/// Whether the kernel lets programs access words at any address (`CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS`).
const UNALIGNED: bool = cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "s390x",
    target_arch = "powerpc64"
));

/// The compiled programs, and the maps that all of them share.
pub struct Image {
    object: Object,
    layout: RingLayout,
    detail: Detail,
    /// The perf event array, with one perf ring per CPU. It is created without aya, which would size it by the number
    /// of CPUs in `/sys`: too small if the CPU numbers have gaps.
    events: OwnedFd,
    /// The array with the memory of each CPU's ring.
    rings: MapData,
}

/// Constants of a program, set before it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// The number of the source that the program is attached to.
    pub source: u32,
    /// The snap length in bytes.
    pub snap_len: u32,
    /// Of this many frames that the filter accepts, each CPU captures one.
    pub one_in: u32,
}

/// A program whose instructions contain the descriptors of its maps.
pub struct Linked {
    /// The instructions to load.
    pub instructions: Vec<bpf_insn>,
    /// Must stay open until the instructions are loaded; a loaded program holds its maps itself.
    _constants: MapData,
}

/// The counters of one source, one entry for each possible CPU. They continue when the source's program is exchanged.
pub struct SourceCounters(Array<MapData, PerCpu>);

/// [`CpuCounters`], in a type for which aya's `Pod` can be implemented.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct PerCpu(CpuCounters);

// SAFETY: the structure is integers without padding (asserted where it is defined): every bit pattern is a value.
unsafe impl aya::Pod for PerCpu {}

impl SourceCounters {
    /// The counters, summed over all CPUs.
    pub fn sum(&self) -> Result<xdpdump_ebpf::Counters, Error> {
        let each = self.0.iter().map(|cpu| cpu.map(|PerCpu(counters)| counters));
        each.sum::<Result<_, _>>().map_err(Error::counters)
    }
}

impl Image {
    /// Parses the programs and creates the maps that they share, sized as `layout` says.
    pub fn load(layout: RingLayout) -> Result<Self, Error> {
        let object = Object::parse(&OBJECT.bytes).map_err(Error::object)?;
        let mut events = definition(&object, "EVENTS")?;
        events.set_max_entries(cpus::limit());
        let events = bpf::create_map("EVENTS", &events).map_err(Error::map)?;
        let mut rings = definition(&object, "RINGS")?;
        rings.set_max_entries(layout.cpus);
        rings.set_value_size(u32::try_from(layout.value_len).unwrap_or(u32::MAX));
        let rings = create(rings, "RINGS")?;
        Ok(Self { object, layout, detail: Detail::default(), events, rings })
    }

    /// Chooses which options the records of mapped rings have.
    pub fn set_detail(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// The perf event array to which programs write events.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    /// The array map with the memory of the rings.
    pub fn rings(&self) -> BorrowedFd<'_> {
        self.rings.fd().as_fd()
    }

    /// Creates the counters of a new source.
    pub fn counters(&self) -> Result<SourceCounters, Error> {
        let mut map = definition(&self.object, "COUNTERS")?;
        map.set_max_entries(cpus::limit());
        let map = aya::maps::Map::Array(create(map, "COUNTERS")?);
        Array::try_from(map).map(SourceCounters).map_err(Error::object)
    }

    /// The program with this name, ready to be loaded.
    pub fn program(
        &self,
        name: &'static str,
        constants: Constants,
        functions: &Functions,
        counters: &SourceCounters,
    ) -> Result<Linked, Error> {
        self.program_with(name, constants, &[], functions, counters)
    }

    /// [`Image::program`] with more constants, each with its name in the source of the kernel side.
    pub fn program_with(
        &self,
        name: &'static str,
        constants: Constants,
        more: &[(&'static str, u32)],
        functions: &Functions,
        counters: &SourceCounters,
    ) -> Result<Linked, Error> {
        let mut object = self.object.clone();
        let detail = match self.detail {
            Detail::Lean => detail::LEAN,
            Detail::Brief => detail::BRIEF,
            Detail::Full => detail::FULL,
        };
        let preemptible = kernel::bottom_halves_preempt_each_other();
        let values = [
            ("SOURCE", constants.source),
            ("SNAP_LEN", constants.snap_len),
            ("ONE_IN", constants.one_in),
            ("SMALL_MASK", self.layout.small_mask()),
            ("LARGE_MASK", self.layout.large_mask()),
            ("LARGE_AT", self.layout.large_at()),
            ("SECTION_SHIFT", self.layout.section_shift()),
            ("PREEMPTIBLE", u32::from(preemptible)),
            ("STORES_IN_ORDER", u32::from(STORES_IN_ORDER)),
            ("UNALIGNED", u32::from(UNALIGNED)),
            ("DETAIL", detail),
        ];
        let values: Vec<_> =
            values.iter().chain(more).map(|(name, value)| (*name, value.to_ne_bytes())).collect();
        let values = values.iter().map(|(name, value)| (*name, (value.as_slice(), true))).collect();
        object.patch_map_data(values).map_err(Error::object)?;
        let constants = definition(&object, CONSTANTS)?;
        let constants_map = create(constants.clone(), "constants")?;
        bpf::set_constants(constants_map.fd().as_fd(), &constants).map_err(Error::map)?;

        let SourceCounters(counters) = counters;
        let maps = [
            ("EVENTS", self.events.as_raw_fd()),
            ("RINGS", self.rings.fd().as_fd().as_raw_fd()),
            ("COUNTERS", counters.map().fd().as_fd().as_raw_fd()),
            (CONSTANTS, constants_map.fd().as_fd().as_raw_fd()),
        ];
        let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
        let definitions = std::mem::take(&mut object.maps);
        let maps = maps
            .into_iter()
            .filter_map(|(name, fd)| definitions.get(name).map(|definition| (name, fd, definition)));
        object.relocate_maps(maps, &sections).map_err(Error::object)?;
        object.relocate_calls(&sections).map_err(Error::object)?;
        let program = object.programs.get(name).map(aya_obj::Program::function_key);
        let mut instructions = program
            .and_then(|key| object.functions.remove(&key))
            .map(|function| function.instructions)
            .ok_or(Error::Object(name))?;
        functions.put_into(&mut instructions);
        if !preemptible {
            take_out_atomic_additions(&mut instructions);
        }
        Ok(Linked { instructions, _constants: constants_map })
    }
}

/// Replaces atomic additions that return a result by jumps to the next instruction. They are only executed if
/// `PREEMPTIBLE` is set, but before 5.12 Linux refuses every program that contains one (`resolve_pseudo_ldimm64`,
/// kernel/bpf/verifier.c, v5.10).
fn take_out_atomic_additions(instructions: &mut [bpf_insn]) {
    const ATOMIC_U64: u8 = (BPF_STX | BPF_ATOMIC | BPF_DW) as u8;
    for instruction in instructions {
        if instruction.code == ATOMIC_U64 && instruction.imm == (BPF_ADD | BPF_FETCH).cast_signed() {
            *instruction = bpf_insn { code: (BPF_JMP | BPF_JA) as u8, off: 0, imm: 0, ..*instruction };
            instruction.set_dst_reg(0);
            instruction.set_src_reg(0);
        }
    }
}

/// The definition of a map in the object, by its name in the source of the kernel side.
fn definition(object: &Object, name: &'static str) -> Result<Map, Error> {
    object.maps.get(name).cloned().ok_or(Error::Object(name))
}

fn create(definition: Map, name: &str) -> Result<MapData, Error> {
    MapData::create(definition, name, None).map_err(Error::aya_map)
}
