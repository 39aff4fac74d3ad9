//! Radiotap (<https://www.radiotap.org>): what a radio knew of an 802.11 frame.

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::wlan;
use crate::decode::printer::Printer;

const NAME: &str = "802.11_radio";
const HEADER: usize = 8;

/// Bits of the presence words that have the same meaning in each of them.
const RADIOTAP_NAMESPACE: u32 = 29;
const VENDOR_NAMESPACE: u32 = 30;
const EXTENDED: u32 = 31;

const CHANNEL: u32 = 3;
const EXTENDED_CHANNEL: u32 = 18;
const MCS: u32 = 19;

/// Bits of the field of flags.
const CHECK_SEQUENCE: u8 = 0x10;
const PADDED: u8 = 0x20;

/// Fields, each aligned to its size from the beginning of the header on.
struct Fields<'a>(Cursor<'a>);

impl Fields<'_> {
    fn number<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let at = self.0.at();
        self.0.skip(at.next_multiple_of(N) - at)?;
        self.0.array()
    }

    fn u8(&mut self) -> Result<u8, Truncated> {
        self.0.u8()
    }

    fn i8(&mut self) -> Result<i8, Truncated> {
        self.u8().map(u8::cast_signed)
    }

    fn u16(&mut self) -> Result<u16, Truncated> {
        self.number().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Truncated> {
        self.number().map(u32::from_le_bytes)
    }
}

/// Why the fields behind one are not known.
enum Stop {
    /// This one is not known.
    Unknown(u32),
    Truncated(Truncated),
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated(truncated)
    }
}

/// Prints a header and its frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor(NAME);
    cursor.need(HEADER)?;
    cursor.skip(2)?;
    let length = usize::from(u16::from_le_bytes(cursor.array()?));
    let header = frame.bytes.get(..length).filter(|_| length >= HEADER).ok_or(Truncated(NAME))?;
    // The presence words come first, one behind the other.
    let mut words = Cursor::new(NAME, header);
    words.skip(4)?;
    let mut fields = words;
    loop {
        let word = u32::from_le_bytes(fields.array()?);
        if !has(word, EXTENDED) {
            break;
        }
    }
    let mut flags = 0;
    print_words(p, words, Fields(fields), &mut flags);
    let capture = wlan::Capture {
        is_padded: flags & PADDED != 0,
        check_sequence: if flags & CHECK_SEQUENCE == 0 { 0 } else { 4 },
    };
    wlan::print_captured(p, frame.skip(length), capture)
}

fn has(word: u32, bit: u32) -> bool {
    word >> bit & 1 == 1
}

/// Prints the fields of all presence words.
fn print_words(p: &mut Printer<'_>, mut words: Cursor<'_>, mut fields: Fields<'_>, flags: &mut u8) {
    // Of a vendor's fields, only their length is known.
    let (mut first, mut vendor) = (0, None);
    while let Ok(word) = words.array().map(u32::from_le_bytes) {
        if let Some(length) = vendor {
            if fields.0.skip(usize::from(length)).is_err() {
                break;
            }
            vendor = Some(0);
        } else {
            let bits = (0..RADIOTAP_NAMESPACE).filter(|bit| has(word, *bit));
            let printed =
                bits.map(|bit| first + bit).try_for_each(|bit| print_field(p, &mut fields, bit, word, flags));
            match printed {
                Ok(()) => {}
                Err(Stop::Unknown(bit)) => {
                    write!(p, "[bit {bit}] ");
                    break;
                }
                Err(Stop::Truncated(Truncated(name))) => {
                    write!(p, " [|{name}]");
                    break;
                }
            }
        }
        match (has(word, RADIOTAP_NAMESPACE), has(word, VENDOR_NAMESPACE)) {
            (false, false) => first += 32,
            (true, false) => (first, vendor) = (0, None),
            (false, true) => {
                let skipped = fields.number::<2>().and_then(|_| fields.0.skip(2)).and_then(|()| fields.u16());
                let Ok(length) = skipped else {
                    write!(p, " [|{NAME}]");
                    break;
                };
                (first, vendor) = (0, Some(length));
            }
            (true, true) => {}
        }
        if !has(word, EXTENDED) {
            break;
        }
    }
}

/// Prints the field with this number.
fn print_field(
    p: &mut Printer<'_>,
    fields: &mut Fields<'_>,
    number: u32,
    word: u32,
    flags: &mut u8,
) -> Result<(), Stop> {
    match number {
        0 => write!(p, "{}us tsft ", u64::from_le_bytes(fields.number()?)),
        1 => {
            *flags = fields.u8()?;
            for (bit, name) in [
                (0x01, "cfp "),
                (0x02, "short preamble "),
                (0x04, "wep "),
                (0x08, "fragmented "),
                (0x40, "bad-fcs "),
            ] {
                if *flags & bit != 0 {
                    p.text(name);
                }
            }
        }
        2 => match fields.u8()? {
            index @ 0x80..=0x8f => write!(p, "MCS {} ", index & 0x7f),
            rate => write!(p, "{}.{} Mb/s ", rate / 2, if rate % 2 == 0 { 0 } else { 5 }),
        },
        CHANNEL => {
            let (frequency, channel) = (fields.u16()?, fields.u16()?);
            if !has(word, EXTENDED_CHANNEL) {
                print_channel(p, frequency, channel.into(), word);
            }
        }
        4 => write!(p, "fhset {} fhpat {} ", fields.u8()?, fields.u8()?),
        5 => write!(p, "{}dBm signal ", fields.i8()?),
        6 => write!(p, "{}dBm noise ", fields.i8()?),
        7 => write!(p, "{} sq ", fields.u16()?),
        8 => write!(p, "{} tx power ", -i32::from(fields.u16()?.cast_signed())),
        9 => write!(p, "{}dB tx attenuation ", -i32::from(fields.i8()?)),
        10 => write!(p, "{}dBm tx power ", fields.i8()?),
        11 => write!(p, "antenna {} ", fields.u8()?),
        12 => write!(p, "{}dB signal ", fields.u8()?),
        13 => write!(p, "{}dB noise ", fields.u8()?),
        14 => drop(fields.u16()?),
        EXTENDED_CHANNEL => {
            let (channel, frequency) = (fields.u32()?, fields.u16()?);
            fields.0.skip(2)?;
            print_channel(p, frequency, channel, word);
        }
        MCS => print_mcs(p, fields)?,
        // The status of an aggregated frame.
        20 => {
            fields.u32()?;
            fields.0.skip(4)?;
        }
        21 => print_vht(p, fields)?,
        _ => return Err(Stop::Unknown(number)),
    }
    Ok(())
}

fn print_channel(p: &mut Printer<'_>, frequency: u16, channel: u32, word: u32) {
    const TURBO: u32 = 0x10;
    const CCK: u32 = 0x20;
    const OFDM: u32 = 0x40;
    const GHZ_2: u32 = 0x80;
    const GHZ_5: u32 = 0x100;
    const DYNAMIC: u32 = 0x400;
    const GFSK: u32 = 0x800;
    let all = |bits| channel & bits == bits;
    let width = match channel {
        _ if channel & 0x4000 != 0 => "/10Mhz",
        _ if channel & 0x8000 != 0 => "/5Mhz",
        _ => "",
    };
    write!(p, "{frequency} MHz");
    if has(word, MCS) {
        p.text(" 11n");
    } else {
        if all(GHZ_2 | GFSK) {
            p.text(" FHSS");
        }
        if all(GHZ_5 | OFDM) {
            write!(p, " 11a{width}");
        }
        if all(GHZ_2 | OFDM) || all(GHZ_2 | DYNAMIC) {
            write!(p, " 11g{width}");
        } else if all(GHZ_2 | CCK) {
            p.text(" 11b");
        }
        if all(TURBO) {
            p.text(" Turbo");
        }
    }
    p.text(match channel >> 16 & 7 {
        0 => " ",
        high if high & 1 != 0 => " ht/20 ",
        high if high & 4 != 0 => " ht/40- ",
        _ => " ht/40+ ",
    });
}

/// Prints the modulation and coding scheme of 802.11n.
fn print_mcs(p: &mut Printer<'_>, fields: &mut Fields<'_>) -> Result<(), Stop> {
    let (known, flags, index) = (fields.u8()?, fields.u8()?, fields.u8()?);
    let (is_wide, is_short) = (flags & 3 == 1, flags & 4 != 0);
    if known & 0x02 != 0 {
        match rate(index, is_wide, is_short).filter(|_| known & 0x05 != 0) {
            Some(rate) => write!(p, "{rate:.1} Mb/s MCS {index} "),
            None => write!(p, "MCS {index} "),
        }
    }
    if known & 0x01 != 0 {
        write!(p, "{} ", ["20 MHz", "40 MHz", "20 MHz (L)", "20 MHz (U)"][usize::from(flags & 3)]);
    }
    if known & 0x04 != 0 {
        p.text(if is_short { "short GI " } else { "long GI " });
    }
    if known & 0x08 != 0 {
        p.text(if flags & 0x08 != 0 { "greenfield " } else { "mixed " });
    }
    if known & 0x10 != 0 {
        p.text(if flags & 0x10 != 0 { "LDPC FEC " } else { "BCC FEC " });
    }
    if known & 0x20 != 0 {
        write!(p, "RX-STBC{} ", flags >> 5 & 3);
    }
    Ok(())
}

/// Megabits per second of a scheme with the same modulation of all streams (IEEE 802.11-2016, section 19.5): bits of a symbol by
/// its duration.
fn rate(index: u8, is_wide: bool, is_short: bool) -> Option<f64> {
    const BITS: [[u32; 8]; 2] =
        [[26, 52, 78, 104, 156, 208, 234, 260], [54, 108, 162, 216, 324, 432, 486, 540]];
    let bits = BITS[usize::from(is_wide)][usize::from(index % 8)] * u32::from(index / 8 + 1);
    (index < 32).then(|| f64::from(bits) / if is_short { 3.6 } else { 4.0 })
}

/// Prints what 802.11ac adds.
fn print_vht(p: &mut Printer<'_>, fields: &mut Fields<'_>) -> Result<(), Stop> {
    const WIDTHS: [&str; 26] = [
        "20 MHz",
        "40 MHz",
        "20 MHz (L)",
        "20 MHz (U)",
        "80 MHz",
        "80 MHz (L)",
        "80 MHz (U)",
        "80 MHz (LL)",
        "80 MHz (LU)",
        "80 MHz (UL)",
        "80 MHz (UU)",
        "160 MHz",
        "160 MHz (L)",
        "160 MHz (U)",
        "160 MHz (LL)",
        "160 MHz (LU)",
        "160 MHz (UL)",
        "160 MHz (UU)",
        "160 MHz (LLL)",
        "160 MHz (LLU)",
        "160 MHz (LUL)",
        "160 MHz (UUU)",
        "160 MHz (ULL)",
        "160 MHz (ULU)",
        "160 MHz (UUL)",
        "160 MHz (UUU)",
    ];
    let (known, flags, width) = (fields.u16()?, fields.u8()?, fields.u8()? & 0x1f);
    let users = fields.0.array::<4>()?;
    let coding = fields.u8()?;
    fields.u8()?;
    fields.u16()?;
    for (user, scheme) in users.into_iter().enumerate().filter(|(_, scheme)| scheme & 15 != 0) {
        let coding = if coding >> user & 1 == 1 { "LDPC" } else { "BCC" };
        write!(p, "User {user} MCS {} {coding} FEC ", scheme >> 4);
    }
    if known & 0x40 != 0 {
        match WIDTHS.get(usize::from(width)) {
            Some(width) => write!(p, "{width} "),
            None => write!(p, "unknown ({width}) "),
        }
    }
    if known & 0x04 != 0 {
        p.text(if flags & 0x04 != 0 { "short GI " } else { "long GI " });
    }
    Ok(())
}
