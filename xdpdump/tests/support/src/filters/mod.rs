//! What the tests and benches of filters share: expressions, frames, and filters as programs in the kernel.

pub mod classic;
pub mod ends;
pub mod expressions;
pub mod frames;
pub mod made;
pub mod program;
pub mod random;
