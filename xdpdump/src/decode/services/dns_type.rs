//! DNS record types and classes (IANA DNS parameters).

pub(in crate::decode) const INTERNET: u16 = 1;

pub(in crate::decode) const A: u16 = 1;
pub(in crate::decode) const NS: u16 = 2;
pub(in crate::decode) const CNAME: u16 = 5;
pub(in crate::decode) const SOA: u16 = 6;
pub(in crate::decode) const PTR: u16 = 12;
pub(in crate::decode) const MX: u16 = 15;
pub(in crate::decode) const TXT: u16 = 16;
pub(in crate::decode) const AAAA: u16 = 28;
pub(in crate::decode) const SRV: u16 = 33;
pub(in crate::decode) const DNAME: u16 = 39;
pub(in crate::decode) const A6: u16 = 38;
pub(in crate::decode) const OPT: u16 = 41;
pub(in crate::decode) const UNSPECA: u16 = 104;
pub(in crate::decode) const TSIG: u16 = 250;
pub(in crate::decode) const URI: u16 = 256;

/// The mnemonic of a record type.
pub(in crate::decode) fn type_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        A => "A",
        NS => "NS",
        3 => "MD",
        4 => "MF",
        CNAME => "CNAME",
        SOA => "SOA",
        7 => "MB",
        8 => "MG",
        9 => "MR",
        10 => "NULL",
        11 => "WKS",
        PTR => "PTR",
        13 => "HINFO",
        14 => "MINFO",
        MX => "MX",
        TXT => "TXT",
        17 => "RP",
        18 => "AFSDB",
        19 => "X25",
        20 => "ISDN",
        21 => "RT",
        22 => "NSAP",
        23 => "NSAP_PTR",
        24 => "SIG",
        25 => "KEY",
        26 => "PX",
        27 => "GPOS",
        AAAA => "AAAA",
        29 => "LOC",
        30 => "NXT",
        31 => "EID",
        32 => "NIMLOC",
        SRV => "SRV",
        34 => "ATMA",
        35 => "NAPTR",
        36 => "KX",
        37 => "CERT",
        A6 => "A6",
        DNAME => "DNAME",
        40 => "SINK",
        OPT => "OPT",
        42 => "APL",
        43 => "DS",
        44 => "SSHFP",
        45 => "IPSECKEY",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        99 => "SPF",
        100 => "UINFO",
        101 => "UID",
        102 => "GID",
        103 => "UNSPEC",
        UNSPECA => "UNSPECA",
        249 => "TKEY",
        TSIG => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        253 => "MAILB",
        254 => "MAILA",
        255 => "ANY",
        URI => "URI",
        _ => return None,
    })
}

/// The mnemonic of a class other than the Internet's.
pub(in crate::decode) fn class_name(class: u16) -> Option<&'static str> {
    Some(match class {
        3 => "CHAOS",
        4 => "HS",
        255 => "ANY",
        _ => return None,
    })
}

/// The name of what a message is for, from its flags, after a space; none for a query.
pub(in crate::decode) fn opcode(flags: u16) -> &'static str {
    const NAMES: [&str; 16] = [
        "",
        " inv_q",
        " stat",
        " op3",
        " notify",
        " update",
        " op6",
        " op7",
        " op8",
        " updateA",
        " updateD",
        " updateDA",
        " updateM",
        " updateMA",
        " zoneInit",
        " zoneRef",
    ];
    NAMES[usize::from(flags >> 11 & 15)]
}

/// The name of an error in a response, from its flags, after a space.
pub(in crate::decode) fn response_code(flags: u16) -> &'static str {
    const NAMES: [&str; 16] = [
        "",
        " FormErr",
        " ServFail",
        " NXDomain",
        " NotImp",
        " Refused",
        " YXDomain",
        " YXRRSet",
        " NXRRSet",
        " NotAuth",
        " NotZone",
        " Resp11",
        " Resp12",
        " Resp13",
        " Resp14",
        " NoChange",
    ];
    NAMES[usize::from(flags & 15)]
}
