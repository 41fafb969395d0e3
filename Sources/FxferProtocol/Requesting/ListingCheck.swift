/// A listing that a client has asked for: judges the answers, and trusts none of their names.
package struct ListingCheck {
    /// The most entries of one folder that a client takes.
    package static let maxEntries = 1_000_000

    private let listing: UInt32
    private var count = 0

    /// - Parameter listing: the number under which it was asked for.
    package init(_ listing: UInt32) {
        self.listing = listing
    }

    /// Takes an entry in.
    ///
    /// - Throws: `protocolViolation` for another listing, or a name that is not one component that could be stored;
    ///   `limitExceeded` for too many.
    package mutating func receive(_ entry: Entry) throws(FxferError) {
        guard entry.listing == self.listing else { throw Self.unasked }
        self.count += 1
        guard self.count <= Self.maxEntries else {
            throw FxferError(.limitExceeded, "the server lists more than \(Self.maxEntries) entries of one folder")
        }
        // The reserved name is the server's own at its top only; here it is judged as a name below another.
        guard !entry.name.contains(UInt8(ascii: "/")), (try? RelativePath(bytes: Array("x/".utf8) + entry.name)) != nil
        else {
            let name = EscapedText.escape(entry.name.prefix(RelativePath.maxBytes))
            throw FxferError(.protocolViolation, "the server lists '\(name)', which is no name")
        }
    }

    /// The listing is complete.
    ///
    /// - Throws: `protocolViolation` for another listing.
    package func receive(_ listed: Listed) throws(FxferError) {
        guard listed.listing == self.listing else { throw Self.unasked }
    }

    private static var unasked: FxferError {
        FxferError(.protocolViolation, "the server sent a listing that was not asked for")
    }
}
