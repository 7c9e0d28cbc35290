/// The version of this program; CHANGELOG.md says what each has brought.
let programVersion = "0.2.0"
