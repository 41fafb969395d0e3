import FxferProtocol
import NIOCore

/// A running SHA-256 of a file from its start on that takes down its inner states (``HashStates``) on the way.
struct SteppedHash: ~Copyable, Sendable {
    /// How many bytes were hashed.
    private(set) var position: UInt64 = 0
    /// Those so far.
    private(set) var states: HashStates
    private var hash = SHA256()

    /// - Parameter states: none yet; at which interval they are to be taken.
    init(_ states: HashStates = HashStates()) {
        self.states = states
    }

    /// Adds `bytes` to what was hashed so far.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            // Taken when a byte comes that lies behind it, as there is none at the file's end.
            if self.position == self.states.nextPosition { self.takeDown() }
            let count = Int(min(UInt64(rest.count), self.states.nextPosition - self.position))
            self.hash.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            self.position += UInt64(count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private mutating func takeDown() {
        guard let state = self.hash.state else { preconditionFailure("an interval has whole blocks") }
        self.states.add(state)
    }

    /// Adds the readable bytes of `buffer`.
    mutating func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { self.update($0) }
    }

    /// The digest of all bytes so far.
    func digest() -> Digest {
        self.hash.digest()
    }

    /// A place to go back to.
    func place() -> Place {
        Place(position: self.position, hash: self.hash.copy())
    }

    /// Goes back to a place of its own way, not beyond the present one.
    mutating func goBack(to place: borrowing Place) {
        self.position = place.position
        self.hash.become(place.hash)
        self.states.truncate(to: place.position)
    }

    /// Where a hash was, without its states: those of the way there stay the same.
    struct Place: ~Copyable, Sendable {
        let position: UInt64
        fileprivate let hash: SHA256
    }
}
