import FxferProtocol
import Testing

extension ReceiverScript {
    /// The states of a file in the specification's diagram.
    enum FileState: CaseIterable {
        case none, staging, receiving, rewinding, matching, committing, refused
        /// The sender has given it up, and the store has not answered yet.
        case abandoned
        /// Its first 10 bytes are left from an earlier try.
        case resumed
        /// As matching, and other content is taken, too.
        case matchingOrElse
        /// A file of its name and size is there, and is not what was stored: that has the digest of a right FINISH.
        case decayed, decayedOrElse
        /// The same, and it is being repaired: with and without a chunk that was damaged.
        case repairing, repairRewinding
        /// It was open and is not any more.
        case gone
    }

    /// A receiver whose file 1, of 30 bytes, is in `state`. Where it takes data, 10 bytes of it are verified.
    init(fileIn state: FileState, _ path: String = "a") throws {
        self.init()
        guard state != .none else { return }
        _ = try self.offer(1, path)
        switch state {
        case .none, .staging:
            break
        case .abandoned:
            _ = try self.cancel(1)
        case .resumed:
            _ = self.staged(1, .standIn(10))
        case .receiving:
            try self.receive(chunks: 1)
        case .rewinding:
            try self.receive(chunks: 1)
            _ = try self.chunk(1, at: 10, isDamaged: true)
        case .matching:
            _ = self.existing(1, .standIn(30))
        case .matchingOrElse:
            _ = self.existing(1, .standIn(30), canRestart: true)
        case .decayed:
            try self.decay()
        case .decayedOrElse:
            try self.decay(canRestart: true)
        case .repairing:
            try self.decay()
            _ = try self.repair(1)
            _ = try self.chunk(1, at: 0)
        case .repairRewinding:
            try self.decay()
            _ = try self.repair(1)
            _ = try self.chunk(1, at: 0)
            _ = try self.chunk(1, at: 20, isDamaged: true)
        case .committing:
            // Not by `finish(_:_:)`: this commit is not the one that a test looks for.
            try self.receive(chunks: 3)
            _ = try self.receiver.receive(Finish(file: 1, content: .standIn(30)))
        case .refused:
            _ = self.failed(1, .noSpace)
        case .gone:
            try self.receive(chunks: 3)
            _ = try self.receiver.receive(Finish(file: 1, content: .standIn(30)))
            _ = self.committed(1)
        }
    }

    /// Has file 1, of 30 bytes, found as one that has decayed.
    mutating func decay(_ ranges: [Range<UInt64>] = [5..<15], canRestart: Bool = false) throws {
        let decay = try #require(Decay(digest: .standIn(at: 30), ranges: ranges))
        #expect(self.existing(1, .decayed, canRestart: canRestart, decay: decay) == .accept(1, .decayed, decay))
    }

    private mutating func receive(chunks: UInt64) throws {
        _ = self.staged(1)
        for index in 0..<chunks {
            _ = try self.chunk(1, at: index * 10)
        }
    }

    /// What the other side can send about a file.
    enum Event: CaseIterable {
        case offerAgain
        case chunkAtZero, chunkAtVerified, chunkBehindGap, chunkTooLong
        case finishRight, finishShort, finishWrong
        case repair
        case cancel
    }

    mutating func send(_ event: Event) throws(FxferError) -> Answer {
        switch event {
        case .offerAgain: try self.offer(1)
        case .chunkAtZero: try self.chunk(1, at: 0)
        case .chunkAtVerified: try self.chunk(1, at: 10)
        case .chunkBehindGap: try self.chunk(1, at: 20)
        case .chunkTooLong: try self.chunk(1, at: 10, length: 11)
        case .finishRight: try self.finish(1, .standIn(30))
        case .finishShort: try self.finish(1, .standIn(10))
        case .finishWrong: try self.finish(1, FilePrefix(length: 30, digest: .ofNothing))
        case .repair: try self.repair(1)
        case .cancel: try self.cancel(1)
        }
    }
}

extension FilePrefix {
    /// What stands for a file of 30 bytes that has decayed.
    static let decayed = FilePrefix(length: 30, digest: .standIn(at: 1 << 40))
}
