/// What a sender asks about a file that the receiver may have already.
package enum Comparison: Hashable, Sendable {
    /// Nothing: content may be on its way with the offer. Where the receiver has the file it compares at the end.
    case afterwards
    /// The sender waits: the receiver states the digest of what it has, a whole file or a part of one.
    case byDigest
    /// The sender waits: a file with the same size and modification time is taken to be the same, and not read.
    case bySizeAndTime
}
