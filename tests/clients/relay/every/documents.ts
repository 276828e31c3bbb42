// A question of every kind there is, of the schema in tests/golden.
import { graphql } from "relay-runtime";

graphql`
  query documentsEveryQuery($steps: [FunnelStepInput!]!, $range: TimeRange, $where: Where, $oldest: Decimal) {
    metrics(timeRange: $range, where: $where, having: [{ by: "gmv", gt: 10 }], key: "every") {
      rows {
        time(grain: HOUR)
        seenAt(grain: WEEK)
        daySeen
        isNew
        gmv(where: { age: { lte: $oldest } })
        creditedGmv(model: LINEAR)
        uvValue
      }
      pageInfo {
        totalCount
      }
    }
    funnel(steps: $steps, window: { count: 2, unit: DAY }, breakdown: [PLATFORM]) {
      groups {
        key {
          dimension
          value
        }
        steps {
          count
          conversion
        }
      }
    }
    retention(name: VISITORS) {
      cohorts {
        time
        cells {
          rate
        }
      }
    }
    paths(by: PLATFORM, from: { platform: { eq: "ios" } }) {
      nodes {
        name
        count
      }
    }
    touchPaths(attribution: LAST_TOUCH) {
      paths {
        touches
        value
      }
    }
    scores(name: WORTH) {
      asOf
      entities {
        entity
        monetary
        pAlive
      }
    }
    dimensionValues(dimension: CHANNEL) {
      value
      count
    }
    catalog {
      metrics {
        name
        value
        type
        additivity
      }
    }
    viewer {
      id
      claims
    }
  }
`;

graphql`
  subscription documentsFollowSubscription {
    metrics(timeRange: { last: { count: 7, unit: DAY } }) {
      totals {
        gmv
      }
    }
  }
`;
