mod calls;
mod cancelling;
mod control;
mod faults;
mod limits;
mod people;
mod stages;
mod time;
