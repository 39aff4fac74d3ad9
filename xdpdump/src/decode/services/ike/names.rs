//! Names of exchanges, payloads and protocols (IANA ISAKMP and IKEv2 parameters).

/// The name of an exchange.
pub(super) fn exchange(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "none",
        1 => "base",
        2 => "ident",
        3 => "auth",
        4 => "agg",
        5 => "inf",
        32 => "oakley-quick",
        33 => "oakley-newgroup",
        34 => "ikev2_init",
        35 => "ikev2_auth",
        36 => "child_sa",
        37 => "inf2",
        _ => return None,
    })
}

/// The name of a payload.
pub(super) fn payload(kind: u8) -> Option<&'static str> {
    const NAMES: [&str; 49] = [
        "none", "sa", "p", "t", "ke", "id", "cert", "cr", "hash", "sig", "nonce", "n", "d", "vid", "pay14",
        "pay15", "pay16", "pay17", "pay18", "pay19", "pay20", "pay21", "pay22", "pay23", "pay24", "pay25",
        "pay26", "pay27", "pay28", "pay29", "pay30", "pay31", "pay32", "v2sa", "v2ke", "v2IDi", "v2IDr",
        "v2cert", "v2cr", "v2auth", "v2nonce", "v2n", "v2d", "v2vid", "v2TSi", "v2TSr", "v2e", "v2cp",
        "v2eap",
    ];
    NAMES.get(usize::from(kind)).copied()
}

/// The name of a protocol whose keys are negotiated.
pub(super) fn protocol(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "isakmp",
        2 => "ipsec-ah",
        3 => "ipsec-esp",
        4 => "ipcomp",
        _ => return None,
    })
}

/// Names by number: of encryption for ESP, which version 2 has for every protocol.
pub(super) const ESP: [&str; 13] = [
    "",
    "1des-iv64",
    "1des",
    "3des",
    "rc5",
    "idea",
    "cast",
    "blowfish",
    "3idea",
    "1des-iv32",
    "rc4",
    "null",
    "aes",
];
pub(super) const AH: [&str; 8] = ["", "(reserved)", "md5", "sha", "1des", "sha2-256", "sha2-384", "sha2-512"];
pub(super) const COMPRESSION: [&str; 4] = ["", "oui", "deflate", "lzs"];
/// Groups of Diffie and Hellman.
pub(super) const GROUPS: [&str; 19] = [
    "",
    "modp768",
    "modp1024",
    "EC2N 2^155",
    "EC2N 2^185",
    "modp1536",
    "iana-grp06",
    "iana-grp07",
    "iana-grp08",
    "iana-grp09",
    "iana-grp10",
    "iana-grp11",
    "iana-grp12",
    "iana-grp13",
    "modp2048",
    "modp3072",
    "modp4096",
    "modp6144",
    "modp8192",
];

/// The name at a number; an empty name is none.
pub(super) fn at(names: &[&'static str], number: u16) -> Option<&'static str> {
    names.get(usize::from(number)).copied().filter(|name| !name.is_empty())
}

/// What a notification of version 1 says.
pub(super) fn notification(kind: u16) -> (Option<&'static str>, u16) {
    const ERRORS: [&str; 31] = [
        "",
        "INVALID-PAYLOAD-TYPE",
        "DOI-NOT-SUPPORTED",
        "SITUATION-NOT-SUPPORTED",
        "INVALID-COOKIE",
        "INVALID-MAJOR-VERSION",
        "INVALID-MINOR-VERSION",
        "INVALID-EXCHANGE-TYPE",
        "INVALID-FLAGS",
        "INVALID-MESSAGE-ID",
        "INVALID-PROTOCOL-ID",
        "INVALID-SPI",
        "INVALID-TRANSFORM-ID",
        "ATTRIBUTES-NOT-SUPPORTED",
        "NO-PROPOSAL-CHOSEN",
        "BAD-PROPOSAL-SYNTAX",
        "PAYLOAD-MALFORMED",
        "INVALID-KEY-INFORMATION",
        "INVALID-ID-INFORMATION",
        "INVALID-CERT-ENCODING",
        "INVALID-CERTIFICATE",
        "CERT-TYPE-UNSUPPORTED",
        "INVALID-CERT-AUTHORITY",
        "INVALID-HASH-INFORMATION",
        "AUTHENTICATION-FAILED",
        "INVALID-SIGNATURE",
        "ADDRESS-NOTIFICATION",
        "NOTIFY-SA-LIFETIME",
        "CERTIFICATE-UNAVAILABLE",
        "UNSUPPORTED-EXCHANGE-TYPE",
        "UNEQUAL-PAYLOAD-LENGTHS",
    ];
    match kind {
        0..8192 => (at(&ERRORS, kind), kind),
        8192..16384 => (Some("RESERVED"), kind),
        16384..24576 => ((kind == 16384).then_some("CONNECTED"), kind - 16384),
        24576..32768 => {
            let kind = kind - 24576;
            (at(&["RESPONDER-LIFETIME", "REPLAY-STATUS", "INITIAL-CONTACT"], kind), kind)
        }
        _ => (None, kind),
    }
}

/// What a notification of version 2 says (RFC 7296 §3.10.1).
pub(super) fn notification2(kind: u16) -> &'static str {
    match kind {
        1 => "unsupported_critical_payload",
        4 => "invalid_ike_spi",
        5 => "invalid_major_version",
        7 => "invalid_syntax",
        9 => "invalid_message_id",
        11 => "invalid_spi",
        14 => "no_protocol_chosen",
        17 => "invalid_ke_payload",
        24 => "authentication_failed",
        34 => "single_pair_required",
        35 => "no_additional_sas",
        36 => "internal_address_failure",
        37 => "failed:cp_required",
        39 => "invalid_selectors",
        16384 => "initial_contact",
        16385 => "set_window_size",
        16386 => "additional_ts_possible",
        16387 => "ipcomp_supported",
        16388 => "nat_detection_source_ip",
        16389 => "nat_detection_destination_ip",
        16390 => "cookie",
        16391 => "use_transport_mode",
        16392 => "http_cert_lookup_supported",
        16393 => "rekey_sa",
        16394 => "tfc_padding_not_supported",
        16395 => "non_first_fragment_also",
        8192..16384 => "private-error",
        40960.. => "private-status",
        0..8192 => "error",
        _ => "status",
    }
}
