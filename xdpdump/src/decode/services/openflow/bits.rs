//! Names of bits in OpenFlow 1.0 (OpenFlow Switch Specification 1.0.0 §5.2, §5.3).

/// What a switch can do.
pub(super) const CAPABILITIES: [(u32, &str); 8] = [
    (0x01, "FLOW_STATS"),
    (0x02, "TABLE_STATS"),
    (0x04, "PORT_STATS"),
    (0x08, "STP"),
    (0x10, "RESERVED"),
    (0x20, "IP_REASM"),
    (0x40, "QUEUE_STATS"),
    (0x80, "ARP_MATCH_IP"),
];
/// What a switch does with packets.
pub(super) const ACTIONS: [(u32, &str); 12] = [
    (0x001, "OUTPUT"),
    (0x002, "SET_VLAN_VID"),
    (0x004, "SET_VLAN_PCP"),
    (0x008, "STRIP_VLAN"),
    (0x010, "SET_DL_SRC"),
    (0x020, "SET_DL_DST"),
    (0x040, "SET_NW_SRC"),
    (0x080, "SET_NW_DST"),
    (0x100, "SET_NW_TOS"),
    (0x200, "SET_TP_SRC"),
    (0x400, "SET_TP_DST"),
    (0x800, "ENQUEUE"),
];
/// How a port is configured.
pub(super) const CONFIGURATION: [(u32, &str); 7] = [
    (0x01, "PORT_DOWN"),
    (0x02, "NO_STP"),
    (0x04, "NO_RECV"),
    (0x08, "NO_RECV_STP"),
    (0x10, "NO_FLOOD"),
    (0x20, "NO_FWD"),
    (0x40, "NO_PACKET_IN"),
];
/// What a port can do.
pub(super) const FEATURES: [(u32, &str); 12] = [
    (0x001, "10MB_HD"),
    (0x002, "10MB_FD"),
    (0x004, "100MB_HD"),
    (0x008, "100MB_FD"),
    (0x010, "1GB_HD"),
    (0x020, "1GB_FD"),
    (0x040, "10GB_FD"),
    (0x080, "COPPER"),
    (0x100, "FIBER"),
    (0x200, "AUTONEG"),
    (0x400, "PAUSE"),
    (0x800, "PAUSE_ASYM"),
];
