//! Facts about the running kernel and its machine, from system calls: `/proc` and `/sys` may be missing or replaced.

/// Name and release of the operating system, such as `Linux 6.18.2`.
pub fn operating_system() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

/// The kind of the machine's CPUs as the kernel calls it, such as `x86_64`.
pub fn machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// Memory of the machine in bytes.
pub fn total_memory() -> u64 {
    let info = rustix::system::sysinfo();
    // The fields are `unsigned long`, which is not 64 bits everywhere.
    (info.totalram as u64).saturating_mul(u64::from(info.mem_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_memory() {
        assert!(total_memory() > 1 << 20);
    }
}
