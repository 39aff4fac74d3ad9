//! Lets somebody who watches a capture give it another filter while it runs.

use std::{
    io,
    os::fd::BorrowedFd,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use super::{
    Error, Totals,
    connect::{Connection, Order},
    delivery::Delivery,
    until_stopped,
};
use crate::{
    config::Interfaces,
    packet::LinkType,
    report::sentence,
    selection::{self, Request, Selections},
    signals::Signals,
};

/// How often to look whether a filter is compiled.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Watches a capture, and may give it another filter. None of the calls may wait.
pub trait Control {
    /// Becomes readable when [`Control::filter`] is to be called; `None` if that will not happen any more.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// The filter that is wanted from now on, if another one is: `Some(None)` accepts every frame.
    fn filter(&mut self) -> Option<Option<String>>;

    /// Whether the filter that was wanted is now in force; if it is not, the reason, a line for each item.
    fn answer(&mut self, answer: Result<(), &[String]>);

    /// Receives the totals so far, once a second.
    fn totals(&mut self, totals: &Totals);
}

/// A capture's control, and what it has asked for.
pub struct Remote<'a> {
    control: &'a mut dyn Control,
    /// What was asked for when the capture began: another filter replaces only the filter of it.
    request: Request,
    /// A filter that is being compiled. That may take seconds, if a name server is asked, so another thread does it.
    compiling: Option<Receiver<Selections>>,
    /// What is selected now, if that is not what the capture began with.
    selections: Option<Selections>,
}

impl<'a> Remote<'a> {
    pub fn new(control: &'a mut dyn Control, request: Request) -> Self {
        Self { control, request, compiling: None, selections: None }
    }

    /// What to wait for.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.control.descriptor()
    }

    /// How long to wait at most.
    pub fn patience(&self) -> Duration {
        if self.compiling.is_some() { LOOK_EVERY } else { Duration::MAX }
    }

    /// The order with what is selected now.
    pub fn order<'b>(&'b self, order: Order<'b>) -> Order<'b> {
        Order { selections: self.selections.as_ref().unwrap_or(order.selections), ..order }
    }

    /// Passes totals on.
    pub fn totals(&mut self, totals: &Totals) {
        self.control.totals(totals);
    }

    /// Takes note of what is wanted: to be called when the descriptor is readable.
    pub fn listen(&mut self) {
        let Some(filter) = self.control.filter() else { return };
        let (sender, compiled) = mpsc::channel();
        let request = self.request.with_filter(filter);
        // The new thread is in the network namespace of this one, whose name servers are asked.
        let compile = move || drop(sender.send(Selections::compile(&request)));
        match thread::Builder::new().name("filter".to_owned()).spawn(compile) {
            // A filter that is still being compiled is not wanted any more.
            Ok(_) => self.compiling = Some(compiled),
            Err(error) => self.control.answer(Err(&[refusal(&error)])),
        }
    }

    /// Exchanges the filter, if another one is wanted and compiled. If that is not possible, the filter before stays in
    /// force, which the control is told.
    pub fn exchange(
        &mut self,
        order: Order<'_>,
        connection: &mut Connection,
        delivery: &mut Delivery<'_>,
        signals: &Signals,
    ) {
        let Some(compiling) = &self.compiling else { return };
        let selections = match compiling.try_recv() {
            Err(mpsc::TryRecvError::Empty) => return,
            Err(mpsc::TryRecvError::Disconnected) => Err(vec!["the filter could not be compiled".to_owned()]),
            Ok(selections) => check(selections, order, connection).map_err(|error| lines(&error)),
        };
        self.compiling = None;
        let exchanged = selections.and_then(|selections| {
            let now = self.selections.as_ref().unwrap_or(order.selections);
            exchange_all(now, &selections, order, connection, delivery, signals)
                .map_err(|error| lines(&error))?;
            Ok(selections)
        });
        match exchanged {
            Ok(selections) => {
                self.selections = Some(selections);
                self.control.answer(Ok(()));
            }
            Err(lines) => self.control.answer(Err(&lines)),
        }
    }
}

fn refusal(error: &io::Error) -> String {
    format!("no thread to compile the filter ({error})")
}

/// An error as lines to show.
fn lines(error: &Error) -> Vec<String> {
    match error {
        Error::Selection(selection::Error::Filter(error)) => {
            [error.to_string()].into_iter().chain(error.marked()).collect()
        }
        error => vec![sentence(error)],
    }
}

/// Whether the selections have no error for any source that is attached.
fn check(mut selections: Selections, order: Order<'_>, connection: &Connection) -> Result<Selections, Error> {
    if order.config.interfaces == Interfaces::Any {
        selections.check(LinkType::ETHERNET)?;
    }
    for source in connection.sources.iter().filter(|source| source.is_attached) {
        selections.check(source.interface.link_type)?;
    }
    connection.check(&selections)?;
    Ok(selections)
}

/// Gives every source what is selected of its frames. If one of them refuses, those before it get back what they had.
fn exchange_all(
    before: &Selections,
    selections: &Selections,
    order: Order<'_>,
    connection: &mut Connection,
    delivery: &mut Delivery<'_>,
    signals: &Signals,
) -> Result<(), Error> {
    let sources = delivery.sources() as u32;
    let mut give = |source: u32, selections: &Selections| {
        let exchanged = until_stopped(signals, || connection.exchange(order, source, selections))?;
        if let Some(left) = exchanged.flatten() {
            delivery.select(source, left);
        }
        Ok(())
    };
    for source in 0..sources {
        if let Err(error) = give(source, selections) {
            for earlier in 0..source {
                // What was in force a moment ago is accepted again, unless there is no memory for it.
                let _: Result<(), Error> = give(earlier, before);
            }
            return Err(error);
        }
    }
    Ok(())
}
