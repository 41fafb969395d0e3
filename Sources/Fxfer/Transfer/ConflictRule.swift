import FxferStorage

/// What a receiver does with a file whose name another file has. One with the same content is success under each rule.
public enum ConflictRule: String, Sendable, CaseIterable {
    /// The new file is refused.
    case refuse
    /// The new file takes the name in one step: whoever opens it gets the old or the new file, whole.
    case replace
    /// The new file is stored beside the old one, with `.1`, `.2` … behind its name.
    case keepBoth = "keep-both"
}

extension ConflictRule {
    /// The same as the store has it.
    package var policy: ConflictPolicy {
        switch self {
        case .refuse: .refuse
        case .replace: .replace
        case .keepBoth: .keepBoth
        }
    }
}
