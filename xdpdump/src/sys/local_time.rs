//! Local time, as the C library knows it: it reads every form that `TZ` can have, also zones that count leap seconds.

use std::mem::MaybeUninit;

use chrono::NaiveDate;

/// A moment on the calendar and the clock of the local time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second; 60 is a leap second, in zones that count them.
    pub second: u32,
}

impl LocalTime {
    /// The local time at a second since 1970; `None` if there is no year for it.
    pub fn at(seconds: i64) -> Option<Self> {
        let time = libc::time_t::try_from(seconds).ok()?;
        let mut fields = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: both pointers are valid for the call, and a `tm` of zeros is one (localtime_r(3)).
        let fields = unsafe {
            if libc::localtime_r(&raw const time, fields.as_mut_ptr()).is_null() {
                return None;
            }
            fields.assume_init()
        };
        let number = |field: libc::c_int| u32::try_from(field).ok();
        Some(Self {
            year: i64::from(fields.tm_year) + 1900,
            month: number(fields.tm_mon)? + 1,
            day: number(fields.tm_mday)?,
            hour: number(fields.tm_hour)?,
            minute: number(fields.tm_min)?,
            second: number(fields.tm_sec)?,
        })
    }

    /// Seconds of the day.
    fn of_day(&self) -> i64 {
        i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    /// How far the local clock is ahead of UTC at a second since 1970, in seconds; 0 if there is no calendar for it.
    pub fn shift(seconds: i64) -> i64 {
        let shift = || {
            let local = Self::at(seconds)?;
            let date = NaiveDate::from_ymd_opt(i32::try_from(local.year).ok()?, local.month, local.day)?;
            Some(i64::from(date.to_epoch_days()) * 86_400 + local.of_day() - seconds)
        };
        shift().unwrap_or(0)
    }
}
