import FxferProtocol

/// The simplest store: what is stored under which name, what decayed of it, and what is left of files that were begun.
struct MemoryStore {
    enum Policy: CaseIterable {
        case refuse, replace, keepBoth
    }

    struct Stored: Equatable {
        var content: [UInt8]
        /// What it was stored with, where it has decayed, and what is said of the damage.
        var original: [UInt8]?
        var decay: Decay?
        /// Whether it has the time that senders name.
        var hasTime = true
    }

    var policy = Policy.refuse
    var files: [[UInt8]: Stored] = [:]
    var partials: [[UInt8]: [UInt8]] = [:]
    /// Everything that was ever published, by path and content.
    private(set) var history: Set<[[UInt8]]> = []

    /// What becomes of a file that is complete; nil where the name is taken.
    mutating func publish(_ content: [UInt8], at path: [UInt8], repairing: Bool) -> (Receipt.Outcome, [UInt8])? {
        self.partials[path] = nil
        guard let existing = self.files[path] else {
            self.put(content, path)
            return (.stored, path)
        }
        if repairing {
            guard existing.original == content else { return nil }
            self.put(content, path)
            return (.replaced, path)
        }
        guard existing.content != content || existing.original != nil else { return (.identical, path) }
        switch self.policy {
        case .refuse:
            return nil
        case .replace:
            self.put(content, path)
            return (.replaced, path)
        case .keepBoth:
            for number in 1...999 {
                let other = path + Array(".\(number)".utf8)
                guard self.files[other] == nil else { continue }
                self.put(content, other)
                return (.stored, other)
            }
            return nil
        }
    }

    private mutating func put(_ content: [UInt8], _ path: [UInt8]) {
        self.files[path] = Stored(content: content)
        self.history.insert([path, content])
    }

    func wasPublished(_ content: [UInt8], at path: [UInt8]) -> Bool { self.history.contains([path, content]) }
}
