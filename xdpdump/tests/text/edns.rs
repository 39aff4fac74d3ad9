//! DNS answers with EDNS options of every kind, valid and invalid.

use crate::build::{Ipv4, hex, udp};

/// Options in hex: code, length and value.
const OPTIONS: [&str; 30] = [
    "",
    "0003 0000",
    "0003 0004 6e733031",
    "000a 0008 0011223344556677",
    "000a 0010 0011223344556677 8899aabbccddeeff",
    "000a 0009 001122334455667788",
    "0008 0007 0001 18 00 c00002",
    "0008 0004 0001 00 00",
    "0008 0008 0001 19 18 c0000281",
    "0008 000b 0002 38 00 20010db8000001",
    "0008 0007 0001 21 00 c00002",
    "0008 0007 0001 19 00 c00002",
    "0008 0007 0003 18 00 c00002",
    "0008 0002 0001",
    "0009 0004 00127500",
    "0009 0002 0012",
    "000b 0002 04d2",
    "000b 0001 04",
    "000c 0006 000000000000",
    "000d 000d 03777777076578616d706c6500",
    "000d 0001 00",
    "000d 0002 c00c",
    "000e 0004 75304e66",
    "000e 0003 75304e",
    "0005 0005 0305070809",
    "0006 0003 010205",
    "0007 0002 0102",
    "0001 0002 0102",
    "004d 0004 deadbeef 0010 0002 0001 0011 0002 0002",
    "0003 0009 6e733031",
];

/// One answer for each of the options.
pub fn frames() -> Vec<Vec<u8>> {
    let answer = |options: &&str| {
        let options = hex(options);
        let question = hex("0007 8180 0001 0000 0000 0001 0161 00 0001 0001");
        let record = [&hex("00 0029 1000 00 00 8000")[..], &[0, options.len() as u8], &options].concat();
        Ipv4::default().frame(17, &udp(53, 5000, &[question, record].concat()))
    };
    OPTIONS.iter().map(answer).collect()
}
