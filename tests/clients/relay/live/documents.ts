// What the page asks. Relay's compiler reads it; babel-plugin-relay would put what it makes in its place.
import { graphql } from "relay-runtime";

graphql`
  query documentsSalesQuery($range: TimeRange, $where: Where, $grain: Grain!, $order: [OrderBy!]) {
    metrics(timeRange: $range, where: $where, orderBy: $order, key: "sales") {
      rows {
        time(grain: $grain)
        ...documents_sales
      }
      totals {
        gmv
        orders
      }
      meta {
        dataThrough
        warnings {
          code
        }
      }
    }
  }
`;

graphql`
  fragment documents_sales on Row @inline {
    channel
    gmv
    before: gmv(offset: { count: 1, unit: DAY })
  }
`;

graphql`
  query documentsTilesQuery {
    byChannel: metrics(key: "by channel") {
      rows {
        channel
        gmv
      }
    }
    byDay: metrics(key: "by day") {
      rows {
        time(grain: DAY)
        gmv
      }
    }
  }
`;

graphql`
  query documentsColumnsQuery($metrics: [Metric!]!, $dimensions: [Dimension!]) {
    table(metrics: $metrics, dimensions: $dimensions) {
      columns {
        key
        role
      }
      rows
    }
    viewer {
      id
      claims
    }
  }
`;
