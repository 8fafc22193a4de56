//! The templates' name is a hash of the migrations: a file that is added must be seen.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
