resource "aws_wafv2_web_acl" "this" {
  name  = local.name
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "common"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesCommonRuleSet"
        vendor_name = "AWS"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "common"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

resource "aws_cloudfront_distribution" "this" {
  enabled     = true
  comment     = local.name
  price_class = "PriceClass_100"

  origin {
    origin_id   = "alb"
    domain_name = aws_lb.this.dns_name

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id       = "alb"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD", "OPTIONS"]
    cached_methods         = ["GET", "HEAD"]

    forwarded_values {
      query_string = true

      cookies {
        forward = "none"
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

resource "aws_rum_app_monitor" "this" {
  name   = local.name
  domain = aws_cloudfront_distribution.this.domain_name

  app_monitor_configuration {
    session_sample_rate = 0.1
    telemetries         = ["errors", "performance"]
  }
}

resource "aws_sns_topic" "team" {
  name = "gallery-team"
}

resource "aws_sns_topic_policy" "team" {
  arn    = aws_sns_topic.team.arn
  policy = module.lambda.notification_topic_policies["team"]
}

resource "aws_codestarnotifications_notification_rule" "deployments" {
  name           = "gallery-deployments"
  resource       = aws_codedeploy_app.this.arn
  detail_type    = "BASIC"
  event_type_ids = ["codedeploy-application-deployment-failed"]

  target {
    address = aws_sns_topic.team.arn
  }
}
