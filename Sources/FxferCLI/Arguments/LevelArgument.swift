import ArgumentParser
import FxferProtocol

/// A level of durability by its name.
enum LevelArgument: String, CaseIterable, ExpressibleByArgument {
    case verified, durable, media

    var level: Durability {
        switch self {
        case .verified: .verified
        case .durable: .durable
        case .media: .media
        }
    }
}
