//! The words of the language: keywords, and numbers that have names.

/// Keywords, and the spelling of each that the parser uses.
///
/// `fddi`, `tr`, `wlan`, `ppp` and `slip` are synonyms of `ether`: all of them mean the link level, whatever its type
/// is.
const KEYWORDS: &[(&str, &str)] = &[
    ("aarp", "aarp"),
    ("ah", "ah"),
    ("and", "and"),
    ("arp", "arp"),
    ("atalk", "atalk"),
    ("broadcast", "broadcast"),
    ("byte", "byte"),
    ("carp", "carp"),
    ("clnp", "clnp"),
    ("csnp", "csnp"),
    ("decnet", "decnet"),
    ("dst", "dst"),
    ("es-is", "esis"),
    ("esis", "esis"),
    ("esp", "esp"),
    ("ether", "ether"),
    ("fddi", "ether"),
    ("gateway", "gateway"),
    ("geneve", "geneve"),
    ("greater", "greater"),
    ("host", "host"),
    ("icmp", "icmp"),
    ("icmp6", "icmp6"),
    ("igmp", "igmp"),
    ("igrp", "igrp"),
    ("iih", "iih"),
    ("inbound", "inbound"),
    ("ip", "ip"),
    ("ip6", "ip6"),
    ("ipx", "ipx"),
    ("is-is", "isis"),
    ("isis", "isis"),
    ("iso", "iso"),
    ("l1", "l1"),
    ("l2", "l2"),
    ("lat", "lat"),
    ("len", "len"),
    ("length", "len"),
    ("less", "less"),
    ("link", "ether"),
    ("llc", "llc"),
    ("lsp", "lsp"),
    ("mask", "mask"),
    ("mopdl", "mopdl"),
    ("moprc", "moprc"),
    ("mpls", "mpls"),
    ("multicast", "multicast"),
    ("net", "net"),
    ("netbeui", "netbeui"),
    ("not", "not"),
    ("or", "or"),
    ("outbound", "outbound"),
    ("pim", "pim"),
    ("port", "port"),
    ("portrange", "portrange"),
    ("ppp", "ether"),
    ("pppoed", "pppoed"),
    ("pppoes", "pppoes"),
    ("proto", "proto"),
    ("protochain", "protochain"),
    ("psnp", "psnp"),
    ("rarp", "rarp"),
    ("sca", "sca"),
    ("sctp", "sctp"),
    ("slip", "ether"),
    ("snp", "snp"),
    ("src", "src"),
    ("stp", "stp"),
    ("tcp", "tcp"),
    ("tr", "ether"),
    ("udp", "udp"),
    ("vlan", "vlan"),
    ("vrrp", "vrrp"),
    ("wlan", "ether"),
];

/// Keywords of libpcap that have no meaning for the link types that xdpdump captures, grouped by what they are about.
const FOREIGN: &[(&str, &[&str])] = &[
    (
        "ATM",
        &[
            "bcc",
            "connectmsg",
            "ilmic",
            "lane",
            "metac",
            "metaconnect",
            "oam",
            "oamf4",
            "oamf4ec",
            "oamf4sc",
            "sc",
            "vci",
            "vpi",
        ],
    ),
    (
        "IEEE 802.11",
        &[
            "addr1",
            "addr2",
            "addr3",
            "addr4",
            "address1",
            "address2",
            "address3",
            "address4",
            "dir",
            "direction",
            "ra",
            "radio",
            "subtype",
            "ta",
            "type",
        ],
    ),
    (
        "SS7",
        &[
            "dpc", "fisu", "hdpc", "hfisu", "hlssu", "hmsu", "hopc", "hsio", "hsls", "lssu", "lsu", "msu",
            "opc", "sio", "sls",
        ],
    ),
    (
        "the OpenBSD packet filter's log",
        &["action", "ifname", "on", "reason", "rnr", "rset", "rulenum", "ruleset", "srnr", "subrulenum"],
    ),
    ("captures of several interfaces (choose one with -i)", &["ifindex"]),
];

/// Names of header fields, ICMP types and TCP flags, from pcap-filter(7).
const NUMBERS: &[(&str, u32)] = &[
    ("icmp-echo", 8),
    ("icmp-echoreply", 0),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreply", 18),
    ("icmp-maskreq", 17),
    ("icmp-paramprob", 12),
    ("icmp-redirect", 5),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-sourcequench", 4),
    ("icmp-timxceed", 11),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-unreach", 3),
    ("icmp6-certpathadvert", 149),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-destinationunreach", 1),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastrouterterm", 153),
    ("icmp6-neighboradvert", 136),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-packettoobig", 2),
    ("icmp6-parameterproblem", 4),
    ("icmp6-redirect", 137),
    ("icmp6-routeradvert", 134),
    ("icmp6-routerrenum", 138),
    ("icmp6-routersolicit", 133),
    ("icmp6-timeexceeded", 3),
    ("icmp6code", 1),
    ("icmp6type", 0),
    ("icmpcode", 1),
    ("icmptype", 0),
    ("tcp-ack", 0x10),
    ("tcp-cwr", 0x80),
    ("tcp-ece", 0x40),
    ("tcp-fin", 0x01),
    ("tcp-push", 0x08),
    ("tcp-rst", 0x04),
    ("tcp-syn", 0x02),
    ("tcp-urg", 0x20),
    ("tcpflags", 13),
];

/// The meaning of a word that is not a name chosen by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A keyword, in the parser's spelling.
    Keyword(&'static str),
    /// A keyword for link types that are not supported here, and what it is about.
    Foreign(&'static str, &'static str),
    /// A number that has a name.
    Number(u32),
}

/// Looks a word up; `None` if it is a name chosen by the user.
pub(super) fn find(word: &str) -> Option<Word> {
    if let Ok(at) = KEYWORDS.binary_search_by_key(&word, |&(name, _)| name) {
        return Some(Word::Keyword(KEYWORDS[at].1));
    }
    if let Ok(at) = NUMBERS.binary_search_by_key(&word, |&(name, _)| name) {
        return Some(Word::Number(NUMBERS[at].1));
    }
    FOREIGN.iter().find_map(|&(belongs_to, words)| {
        let &name = words.iter().find(|&&name| name == word)?;
        Some(Word::Foreign(name, belongs_to))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_as_the_search_needs_them() {
        assert!(KEYWORDS.is_sorted_by_key(|&(name, _)| name));
        assert!(NUMBERS.is_sorted_by_key(|&(name, _)| name));
    }

    #[test]
    fn every_kind_of_word_is_found() {
        assert_eq!(find("length"), Some(Word::Keyword("len")));
        assert_eq!(find("tcp-syn"), Some(Word::Number(2)));
        assert_eq!(find("vpi"), Some(Word::Foreign("vpi", "ATM")));
        assert_eq!(find("example.org"), None);
    }
}
