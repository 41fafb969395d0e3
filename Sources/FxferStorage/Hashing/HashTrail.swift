import FxferProtocol
import NIOCore

/// A running hash that remembers places of its way and can go back to them.
///
/// At the start there is one place, offset 0. Offsets are bytes from the file's start.
package struct HashTrail: ~Copyable, Sendable {
    /// How many bytes were hashed.
    package private(set) var offset: UInt64 = 0
    private var hash = SHA256()
    /// In ascending order; never empty.
    private var places: [Place]

    /// A remembered place. A class, as an array cannot hold the hash itself, which is not copyable.
    private final class Place: Sendable {
        let offset: UInt64
        let hash: SHA256

        init(_ offset: UInt64, _ hash: consuming SHA256) {
            self.offset = offset
            self.hash = hash
        }
    }

    package init() {
        self.places = [Place(0, SHA256())]
    }

    /// Hashes `bytes`, which follow on the last ones.
    package mutating func advance(over bytes: UnsafeRawBufferPointer) {
        self.hash.update(bytes)
        self.offset += UInt64(bytes.count)
    }

    /// Reads and hashes up to `count` bytes of `file`, which follow on the last ones; answers how many there were.
    mutating func advance(over file: borrowing OwnedDescriptor, count: UInt64) throws(Errno) -> UInt64 {
        do {
            let done = try self.hash.update(from: file, at: self.offset, count: count)
            self.offset += done
            return done
        } catch {
            // Some of the bytes may be hashed: a hash at an unknown place is of no use.
            self.restart()
            throw error
        }
    }

    /// Adds up to `count` bytes of `file`, which follow on the last ones, to `bytes` and hashes them; fewer where the
    /// file ends.
    mutating func advance(
        over file: borrowing OwnedDescriptor,
        count: Int,
        into bytes: inout ByteBuffer
    ) throws(Errno) {
        bytes.reserveCapacity(minimumWritableBytes: count)
        var left = count
        while left > 0 {
            let part = min(left, SHA256.readSize)
            let old = bytes.readableBytes
            do {
                try file.read(part, at: self.offset, into: &bytes)
            } catch {
                self.restart()
                throw error
            }
            bytes.withUnsafeReadableBytes { self.advance(over: UnsafeRawBufferPointer(rebasing: $0[old...])) }
            guard bytes.readableBytes == old + part else { return }
            left -= part
        }
    }

    /// Remembers this place; answers the digest of all bytes before it.
    package mutating func mark() -> Digest {
        if self.places.last?.offset != self.offset {
            self.places.append(Place(self.offset, self.hash.copy()))
        }
        return self.hash.digest()
    }

    /// Forgets the places before the last one that is not beyond `offset`.
    package mutating func forget(before offset: UInt64) {
        guard let index = self.places.lastIndex(where: { $0.offset <= offset }) else { return }
        self.places.removeFirst(index)
    }

    /// Goes back to the place at `offset` and forgets those beyond; answers false where none is remembered there.
    package mutating func goBack(to offset: UInt64) -> Bool {
        guard let index = self.places.lastIndex(where: { $0.offset == offset }) else { return false }
        self.places.removeSubrange((index + 1)...)
        self.hash.become(self.places[index].hash)
        self.offset = offset
        return true
    }

    /// Goes back to offset 0, even where that was forgotten.
    package mutating func restart() {
        self = HashTrail()
    }
}
