import FxferProtocol
import NIOCore

@testable import FxferStorage

/// A file of a client on its way into the store, and what has to come of it.
struct ModelUpload {
    let file: ModelFile
    let isResumable: Bool
    var state: State
    /// Where a later try may go on, as far as the journal is written: a place is written down with the part behind it.
    var places: [Int] = []
    /// The place behind the last part, which is not written down yet.
    var pendingPlace: Int?

    enum State {
        /// It is received.
        case staged(DirectoryStagedFile)
        /// A file with the same content is there, of this version.
        case existing(ExistingFile, version: Int, otherwise: DirectoryStagedFile?)
    }

    var staged: DirectoryStagedFile? {
        switch self.state {
        case .staged(let staged): staged
        case .existing(_, _, let otherwise): otherwise
        }
    }

    /// How many files in the folder of partials it takes.
    var stagedCount: Int {
        switch self.staged {
        case .some: self.isInMemory ? 0 : 1
        case nil: 0
        }
    }

    var isInMemory = false

    /// Sends the next part, as a client does that waits for CONFIRM.
    mutating func send() async throws {
        guard case .staged(let staged) = self.state else { return }
        let start = Int(staged.position)
        let part = self.file.content.dropFirst(start).prefix(ModelFile.partSize)
        guard !part.isEmpty else { return }
        try await Self.append(part, to: staged)
        staged.keep()
        if let place = self.pendingPlace.take() { self.places.append(place) }
        self.pendingPlace = start + part.count
    }

    /// Sends a part that is not the file's, which the server finds out.
    mutating func damage() async throws {
        guard case .staged(let staged) = self.state else { return }
        let start = staged.position
        var part = self.file.content.dropFirst(Int(start)).prefix(ModelFile.partSize)
        // Of what has no known size, also something behind its end.
        if part.isEmpty, !self.file.isSizeKnown { part = Array(repeating: 0, count: 1000)[...] }
        guard !part.isEmpty else { return }
        part[part.endIndex - 1] ^= 1
        try await Self.append(part, to: staged)
        try ModelMismatch.require(
            staged.runningDigest() != self.file.digest(upTo: Int(start) + part.count),
            "damage has the right digest"
        )
        staged.rewind()
        try ModelMismatch.require(staged.position == start, "the file does not go back to what was kept")
        if let place = self.pendingPlace.take() { self.places.append(place) }
    }

    private static func append(_ part: ArraySlice<UInt8>, to staged: DirectoryStagedFile) async throws {
        let bytes = ByteBuffer(bytes: part)
        if !staged.appendInMemory(bytes) { try await staged.append(bytes) }
    }
}

/// The store and its model are different.
struct ModelMismatch: Error, CustomStringConvertible {
    let description: String

    static func require(_ holds: Bool, _ rule: @autoclosure () -> String) throws {
        guard holds else { throw ModelMismatch(description: rule()) }
    }
}

extension Optional {
    fileprivate mutating func take() -> Wrapped? {
        defer { self = nil }
        return self
    }
}
