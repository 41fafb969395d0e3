/// What becomes of a file whose name another file with other content has. The same content is a success in any case.
package enum ConflictPolicy: Hashable, Sendable {
    /// It is refused; the other one stays.
    case refuse
    /// It takes the name of a regular file in one step; anything else stays, and the file is refused.
    case replace
    /// It is stored beside the other one: as `name.1`, `name.2` … `name.999`, the first that is free.
    case keepBoth
}
