//! Names of generalized MPLS (RFC 3471) and of traffic engineering, in tcpdump's words.

/// Interface switching capabilities (RFC 4202).
pub(super) fn switching_capability(kind: u8) -> &'static str {
    match kind {
        1 => "Packet-Switch Capable-1",
        2 => "Packet-Switch Capable-2",
        3 => "Packet-Switch Capable-3",
        4 => "Packet-Switch Capable-4",
        51 => "Layer-2 Switch Capable",
        100 => "Time-Division-Multiplex",
        150 => "Lambda-Switch Capable",
        200 => "Fiber-Switch Capable",
        _ => "Unknown",
    }
}

/// Encodings of label switched paths.
pub(super) fn lsp_encoding(kind: u8) -> &'static str {
    match kind {
        1 => "Packet",
        2 => "Ethernet V2/DIX",
        3 => "ANSI/ETSI PDH",
        5 => "SDH ITU-T G.707/SONET ANSI T1.105",
        7 => "Digital Wrapper",
        8 => "Lambda (photonic)",
        9 => "Fiber",
        11 => "FiberChannel",
        4 | 6 | 10 => "Reserved",
        _ => "Unknown",
    }
}

/// Bandwidth constraints models (RFC 4124).
pub(super) fn bandwidth_constraints(model: u8) -> &'static str {
    match model {
        0 => "Russian dolls",
        1 => "Maximum allocation",
        254 => "Maximum allocation with E-LSP support",
        _ => "unknown",
    }
}

/// How a link is protected (RFC 4203).
pub(super) const LINK_PROTECTION: [(u32, &str); 8] = [
    (0x01, "Extra Traffic"),
    (0x02, "Unprotected"),
    (0x04, "Shared"),
    (0x08, "Dedicated 1:1"),
    (0x10, "Dedicated 1+1"),
    (0x20, "Enhanced"),
    (0x40, "Reserved"),
    (0x80, "Reserved"),
];

/// A bandwidth, which is sent as a floating-point number of bytes per second, in Mbit/s.
pub(super) fn megabits(bytes_per_second: u32) -> f64 {
    // Computed in the precision in which it was sent, as tcpdump does.
    f64::from(f32::from_bits(bytes_per_second) * 8.0 / 1e6)
}
