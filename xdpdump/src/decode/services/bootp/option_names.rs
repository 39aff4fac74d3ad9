//! Names and shapes of the options of DHCP (RFC 2132 and later, IANA BOOTP vendor extensions and DHCP options).

/// What an option's value consists of.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// IPv4 addresses.
    Addresses,
    /// Pairs of IPv4 addresses.
    AddressPairs,
    /// Who asked, and through which port, according to a relay (RFC 3046).
    Agent,
    /// Numbers of one byte.
    Bytes,
    /// A client's identifier.
    ClientId,
    /// Bytes that are 0 or 1.
    Flags,
    /// A host's name with its domain (RFC 4702).
    FullName,
    /// Numbers of four bytes.
    Longs,
    /// The kind of the message.
    MessageType,
    /// How a client finds names of NetBIOS.
    NodeType,
    /// Which fields of the header hold options too.
    Overload,
    /// The options that a client asks for.
    Requested,
    /// Networks and the routers that lead there (RFC 3442).
    Routes,
    /// Numbers of two bytes.
    Shorts,
    /// Signed numbers of four bytes.
    SignedLongs,
    /// Text.
    Text,
    /// Words for what kind of user a client has (RFC 3004).
    UserClass,
}

/// Name and shape of an option.
#[expect(clippy::too_many_lines, reason = "a table with a line for each option")]
pub(super) fn option(kind: u8) -> Option<(&'static str, Shape)> {
    use Shape::{
        AddressPairs, Addresses, Agent, Bytes, ClientId, Flags, FullName, Longs, MessageType, NodeType,
        Overload, Requested, Routes, Shorts, SignedLongs, Text, UserClass,
    };
    Some(match kind {
        1 => ("Subnet-Mask", Addresses),
        2 => ("Time-Zone", SignedLongs),
        3 => ("Default-Gateway", Addresses),
        4 => ("Time-Server", Addresses),
        5 => ("IEN-Name-Server", Addresses),
        6 => ("Domain-Name-Server", Addresses),
        7 => ("LOG", Addresses),
        8 => ("CS", Addresses),
        9 => ("LPR-Server", Addresses),
        10 => ("IM", Addresses),
        11 => ("RL", Addresses),
        12 => ("Hostname", Text),
        13 => ("BS", Shorts),
        14 => ("DP", Text),
        15 => ("Domain-Name", Text),
        16 => ("SS", Addresses),
        17 => ("RP", Text),
        18 => ("EP", Text),
        19 => ("IPF", Flags),
        20 => ("SRT", Flags),
        21 => ("PF", AddressPairs),
        22 => ("RSZ", Shorts),
        23 => ("TTL", Bytes),
        24 => ("MTU-Timeout", Longs),
        25 => ("MTU-Table", Shorts),
        26 => ("MTU", Shorts),
        27 => ("LSN", Flags),
        28 => ("BR", Addresses),
        29 => ("MD", Flags),
        30 => ("MS", Flags),
        31 => ("Router-Discovery", Flags),
        32 => ("RSA", Addresses),
        33 => ("Static-Route", AddressPairs),
        34 => ("UT", Flags),
        35 => ("AT", Longs),
        36 => ("IE", Flags),
        37 => ("TT", Bytes),
        38 => ("KI", Longs),
        39 => ("KG", Flags),
        40 => ("YD", Text),
        41 => ("YS", Addresses),
        42 => ("NTP", Addresses),
        43 => ("Vendor-Option", Bytes),
        44 => ("Netbios-Name-Server", Addresses),
        45 => ("WDD", Addresses),
        46 => ("Netbios-Node", NodeType),
        47 => ("Netbios-Scope", Text),
        48 => ("XFS", Addresses),
        49 => ("XDM", Addresses),
        50 => ("Requested-IP", Addresses),
        51 => ("Lease-Time", Longs),
        52 => ("OO", Overload),
        53 => ("DHCP-Message", MessageType),
        54 => ("Server-ID", Addresses),
        55 => ("Parameter-Request", Requested),
        56 => ("MSG", Text),
        57 => ("MSZ", Shorts),
        58 => ("RN", Longs),
        59 => ("RB", Longs),
        60 => ("Vendor-Class", Text),
        61 => ("Client-ID", ClientId),
        64 => ("N+D", Shorts),
        65 => ("N+S", Addresses),
        66 => ("TFTP", Text),
        67 => ("BF", Text),
        68 => ("MH", Addresses),
        69 => ("SMTP", Addresses),
        70 => ("POP3", Addresses),
        71 => ("NNTP", Addresses),
        72 => ("WWW", Addresses),
        73 => ("FG", Addresses),
        74 => ("IRC", Addresses),
        75 => ("STS", Addresses),
        76 => ("STDA", Addresses),
        77 => ("User-Class", UserClass),
        78 => ("SLP-DA", Bytes),
        79 => ("SLP-SCOPE", Bytes),
        80 => ("SLP-NA", Text),
        81 => ("FQDN", FullName),
        82 => ("Agent-Information", Agent),
        83 => ("ARMT", Bytes),
        88 => ("TZSTR", Text),
        89 => ("FQDNS", Bytes),
        90 => ("AUTH", Bytes),
        91 => ("Last-Transaction-Time", Longs),
        92 => ("Associated-IP", Addresses),
        93 => ("ARCH", Shorts),
        94 => ("NDI", Bytes),
        95 => ("LDAP", Text),
        97 => ("GUID", Bytes),
        98 => ("UAP", Text),
        100 => ("POSIX-TZ", Text),
        101 => ("TZ-Name", Text),
        112 => ("NI", Addresses),
        113 => ("NITAG", Text),
        114 => ("URL", Text),
        116 => ("NOAUTO", Flags),
        117 => ("NSSEARCH", Shorts),
        118 => ("SUBNET", Addresses),
        121 => ("Classless-Static-Route", Routes),
        150 => ("TFTP-Server-Address", Addresses),
        161 => ("MUD-URL", Text),
        249 => ("Classless-Static-Route-Microsoft", Routes),
        _ => return None,
    })
}
