//! The packets of a pcapng file in this machine's byte order (draft-ietf-opsawg-pcapng, section 4.3), by hand: what is checked here
//! is the tool's own code.

/// An Enhanced Packet Block: its type, and where its fields are.
const PACKET: u32 = 6;
const INTERFACE: usize = 8;
const TIME: usize = 12;
const CAPTURED: usize = 20;
const FRAME: usize = 28;

/// A packet.
pub struct Packet<'a> {
    /// Number of its interface.
    pub interface: u32,
    /// Nanoseconds since 1970.
    pub time: u64,
    pub frame: &'a [u8],
}

/// The packets of a file, up to where it is damaged.
pub fn packets(mut file: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    std::iter::from_fn(move || {
        loop {
            let len = whole(file)?;
            let block = file.split_off(..len)?;
            if let Some(packet) = packet(block) {
                return Some(packet);
            }
        }
    })
}

/// Length of the block at the beginning, if all of it is there.
pub fn whole(bytes: &[u8]) -> Option<usize> {
    word(bytes, 4).map(|len| len as usize).filter(|len| (12..=bytes.len()).contains(len))
}

fn packet(block: &[u8]) -> Option<Packet<'_>> {
    let captured = word(block, CAPTURED).filter(|_| is_packet(block))? as usize;
    let frame = block.get(FRAME..)?.get(..captured)?;
    Some(Packet { interface: word(block, INTERFACE)?, time: time(block)?, frame })
}

/// Whether a block is a packet.
pub fn is_packet(block: &[u8]) -> bool {
    word(block, 0) == Some(PACKET)
}

fn time(block: &[u8]) -> Option<u64> {
    Some(u64::from(word(block, TIME)?) << 32 | u64::from(word(block, TIME + 4)?))
}

/// Adds nanoseconds to the time of a packet.
pub fn shift(block: &mut [u8], offset: i64) {
    let Some(time) = time(block).map(|time| time.wrapping_add_signed(offset)) else { return };
    for (at, half) in [(TIME, time >> 32), (TIME + 4, time)] {
        if let Some(field) = block.get_mut(at..at + 4) {
            field.copy_from_slice(&(half as u32).to_ne_bytes());
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}
