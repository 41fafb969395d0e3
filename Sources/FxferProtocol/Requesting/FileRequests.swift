/// The files that a client has asked for, until the server offers or denies them.
///
/// ```
///  (none) ── get() ──> asked ── OFFER ──> (the Receiver's from then on)
///                        └──── CANCEL ──> denied
/// ```
///
/// Only an offer that was asked for, under the very number and path, gets past this.
package struct FileRequests {
    private var asked: [FileID: RelativePath] = [:]
    private var lastFile: FileID = 0

    package init() {}

    /// How many requests are not answered.
    package var count: Int { self.asked.count }

    /// Whether there are numbers left for further requests.
    package var canAsk: Bool { self.lastFile < .max }

    /// Asks for a file: answers the GET to send.
    package mutating func get(_ path: RelativePath) -> Get {
        precondition(self.canAsk, "a number is used once")
        self.lastFile += 1
        self.asked[self.lastFile] = path
        return Get(file: self.lastFile, path: path.bytes)
    }

    /// The server offers a file.
    ///
    /// - Throws: `protocolViolation` where that was not asked for: another number, another path, a folder.
    package mutating func receive(_ offer: Offer) throws(FxferError) {
        guard let path = self.asked.removeValue(forKey: offer.file), path.bytes == offer.path,
            !offer.attributes.isFolder
        else {
            throw FxferError(.protocolViolation, "the server offers '\(offer.pathText)', which was not asked for")
        }
    }

    /// The server gives up a file. Answers true where it never offered it, so that nobody else knows of it.
    package mutating func receive(cancel: FileFailure) -> Bool {
        self.asked.removeValue(forKey: cancel.file) != nil
    }
}
