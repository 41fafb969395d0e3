import FxferProtocol

@testable import FxferStorage

/// What a store has to be, without any disk: names and what is under them.
struct StoreModel: Equatable {
    struct Stored: Equatable {
        let size: Int
        let digest: Digest
        let modified: FileTime?
        /// No two publications have the same.
        let version: Int
    }

    /// What may be left of a file that was not finished.
    struct Partial: Equatable {
        let file: ModelFile
        /// Where a later try may go on.
        var places: [Int]
        /// Whether it goes on at the last of these, or perhaps at an earlier one, or not at all.
        var isCertain: Bool
    }

    var files: [[UInt8]: Stored] = [:]
    var folders: Set<[UInt8]> = []
    var policy = ConflictPolicy.refuse
    private var version = 0

    /// How a file comes to be stored, or why not.
    enum Outcome: Equatable, CustomStringConvertible {
        case published(Publication.Outcome, at: [UInt8])
        case failed(FxferError.Code)

        var description: String {
            switch self {
            case .published(let outcome, let path): "\(outcome) at \(EscapedText.escape(path))"
            case .failed(let code): "failed with \(code)"
            }
        }
    }

    /// Why nothing can be stored at `path`, whatever it is.
    func obstacle(_ path: [UInt8]) -> FxferError.Code? {
        Self.parents(of: path).contains { self.files[$0] != nil } ? .cannotCreate : nil
    }

    static func parents(of path: [UInt8]) -> [[UInt8]] {
        path.indices.filter { path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
    }

    /// Publishes a file that has come whole.
    mutating func publish(_ file: ModelFile) -> Outcome {
        var path = file.path
        for number in 1...1000 {
            if let code = self.obstacle(path) { return .failed(code) }
            if let there = self.files[path] {
                if there.digest == file.digest {
                    return .published(.identical, at: path)
                }
                if self.policy == .replace {
                    self.put(file, path)
                    return .published(.replaced, at: path)
                }
            } else if !self.folders.contains(path) {
                self.put(file, path)
                return .published(.stored, at: path)
            }
            guard self.policy == .keepBoth else { break }
            path = file.path + Array(".\(number)".utf8)
        }
        return .failed(.exists)
    }

    private mutating func put(_ file: ModelFile, _ path: [UInt8]) {
        self.version += 1
        self.files[path] = Stored(
            size: file.size,
            digest: file.digest,
            modified: file.attributes.modified,
            version: self.version
        )
        self.folders.formUnion(Self.parents(of: path))
    }

    mutating func publish(folder path: [UInt8]) -> Outcome {
        if let code = self.obstacle(path) { return .failed(code) }
        guard self.files[path] == nil else { return .failed(.exists) }
        self.folders.formUnion(Self.parents(of: path))
        return .published(self.folders.insert(path).inserted ? .stored : .identical, at: path)
    }
}
