// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "ThresholdBench",
    dependencies: [.package(name: "entente", path: "../..")],
    targets: [
        .executableTarget(
            name: "ThresholdBench",
            dependencies: [.product(name: "ThresholdCryptography", package: "entente")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .treatAllWarnings(as: .error),
            ])
    ]
)
